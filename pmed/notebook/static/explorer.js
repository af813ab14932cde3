// The explorer of a patient or of many: controls on the left, what pmed says on the right. All work is done in Python;
// what it sends as HTML comes from its own escaped templates, everything else is set as text.

const make = (tag, given = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter(child => child != null));
  return made;
};
let counted = 0;
const fresh = () => `pmed-explorer-${++counted}`;
const number = text => text.trim() === "" ? null : Number(text);

function render({ model, el }) {
  const root = make("div", { class: "pmed-view pmed-explorer",
    "data-lm-suppress-shortcuts": "true" })  // keys are ours here, not the notebook's;
  const style = make("style");
  const left = make("div", { class: "pv-left" }), right = make("div", { class: "pv-right" });
  const said = make("p", { class: "pv-said", role: "status", "aria-live": "polite" });
  const change = make("div"), plan = make("div");
  style.textContent = model.get("css");
  right.append(said, change, plan);
  root.append(style, make("div", { class: "pv-columns" }, left, right));
  el.append(root);

  const send = values => {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    root.setAttribute("aria-busy", "true");
    model.save_changes();
  };
  const without = (list, gone) => list.filter(one => one !== gone);
  const changed = (name, key, value) => {
    if ((model.get(name)[key] ?? null) === (value === "" ? null : value)) return;
    const next = { ...model.get(name) };
    if (value === null || value === "") delete next[key]; else next[key] = value;
    send({ [name]: next });
  };

  // The notebook takes Enter for itself, so that a field would not notice it.
  root.addEventListener("keydown", event => {
    if (event.key === "Enter" && event.target.matches("input:not([type=checkbox])")) {
      event.preventDefault();
      event.target.dispatchEvent(new Event("change"));
    }
  });

  // Which parts are unfolded stays as the reader left it.
  const key = one => `${one.closest("[data-drug]")?.dataset.drug ?? ""} ${one.querySelector("summary")?.textContent.split(/[:(]/)[0]}`;
  const put = (place, html) => {
    const open = new Set([...place.querySelectorAll("details[open]")].map(key));
    place.innerHTML = html;
    for (const one of place.querySelectorAll("details")) if (open.has(key(one))) one.open = true;
  };

  // --- one patient ---
  const field = (label, control, note) => {
    control.id = fresh();
    return make("div", { class: "pv-field" }, make("label", { for: control.id }, label), control,
                note ? make("span", { class: "pv-muted" }, note) : null);
  };
  const boxes = new Map(), inputs = new Map();

  function patientControls(form) {
    boxes.clear(); inputs.clear(); left.replaceChildren();
    if (model.get("many")) left.append(make("button", { type: "button", onclick: () => send({ patient: "" }) }, "← All patients"));
    const drugs = make("fieldset", {}, make("legend", {}, "Medicines"));
    const row = (name, note, toggled) => {
      const box = make("input", { type: "checkbox", id: fresh(), onchange: () => toggled(box.checked) });
      boxes.set(name, box);
      drugs.append(make("div", { class: "pv-check" }, box, make("label", { for: box.id }, name),
                        note && note.toLowerCase() !== name ? make("span", { class: "pv-muted" }, note) : null));
    };
    for (const one of form.drugs) row(one.name, one.label, on =>
      send({ stop: on ? without(model.get("stop"), one.name) : [...model.get("stop"), one.name] }));
    for (const name of model.get("start").filter(name => !form.drugs.some(one => one.name === name)))
      row(name, "added here", () => send({ start: without(model.get("start"), name) }));
    const list = make("datalist", { id: fresh() }, ...form.names.map(name => make("option", { value: name })));
    const add = make("input", { type: "text", list: list.id, autocomplete: "off", placeholder: "name of a medicine" });
    const addIt = () => {
      const name = add.value.trim().toLowerCase();
      add.value = "";
      if (name && !model.get("start").includes(name)) send({ start: [...model.get("start"), name] });
    };
    add.addEventListener("keydown", event => { if (event.key === "Enter") addIt(); });
    const adding = make("div", { class: "pv-add" }, field("Add", add), list,
                        make("button", { type: "button", onclick: addIt }, "Add"));
    drugs.append(adding);

    const measures = make("fieldset", {}, make("legend", {}, "Measurements"));
    for (const one of form.measures) {
      const input = make("input", { type: "number", step: "any", min: "0", placeholder: one.value ?? "unknown",
        onchange: () => changed("measures", one.name, number(input.value)) });
      inputs.set(`measures ${one.name}`, input);
      measures.append(field(one.label, input, one.unit));
    }

    const genes = make("fieldset", {}, make("legend", {}, "Genotypes"));
    const more = make("details", {}, make("summary", {}, `${form.genes.filter(one => !one.read).length} genes that were not read`));
    for (const one of form.genes) {
      const options = make("datalist", { id: fresh() }, ...one.options.map(text => make("option", { value: text })));
      const input = make("input", { type: "text", list: options.id, autocomplete: "off", placeholder: one.diplotype, title: one.diplotype,
        onchange: () => changed("genotype", one.gene, input.value.trim()) });
      inputs.set(`genotype ${one.gene}`, input);
      (one.read ? genes : more).append(field(one.gene, input), options);
    }
    genes.append(more);
    left.append(make("h3", {}, form.patient), make("p", { class: "pv-muted" }, form.who), drugs, measures, genes,
                make("button", { type: "button", onclick: () => send({ stop: [], start: [], genotype: {}, measures: {} }) },
                     "As recorded"));
  }

  let shownForm = "";
  function showPatient() {
    const form = model.get("form"), start = model.get("start"), stop = model.get("stop");
    const wanted = JSON.stringify([form.patient, start]);
    if (wanted !== shownForm) {
      const adding = left.contains(document.activeElement) && document.activeElement.list && !shownForm.startsWith("cohort");
      patientControls(form);
      if (adding) left.querySelector(".pv-add input")?.focus();
      shownForm = wanted;
    }
    for (const [name, box] of boxes) box.checked = !stop.includes(name);
    for (const [name, input] of inputs) {
      const [kind, about] = name.split(" ");
      if (input !== document.activeElement) input.value = model.get(kind)[about] ?? "";
    }
    put(change, model.get("change_html"));
    put(plan, model.get("plan_html"));
  }

  // --- many patients ---
  function choice(label, name, options, all) {
    const chosen = model.get("filters")[name] ?? "";
    const select = make("select", { onchange: () => send({ filters: { ...model.get("filters"), [name]: select.value }, page: 0 }) },
      make("option", { value: "" }, all), ...options.map(one => make("option", { value: one, selected: one === chosen }, one)));
    return field(label, select);
  }
  function entry(label, name, type, note) {
    const input = make("input", { type, step: "any", value: model.get("filters")[name] ?? "", autocomplete: "off",
      onchange: () => input.value !== (model.get("filters")[name] ?? "") &&
        send({ filters: { ...model.get("filters"), [name]: input.value }, page: 0 }) });
    return field(label, input, note);
  }
  function cohortControls(offered) {
    left.replaceChildren(make("h3", {}, "Patients"), make("fieldset", {}, make("legend", {}, "Which"),
      entry("Patient", "patient", "text"),
      choice("Gene", "gene", offered.genes, "any"),
      choice("Phenotype", "phenotype", offered.phenotypes, "any"),
      choice("Medicine", "drug", offered.drugs, "any"),
      choice("Action", "action", offered.actions, "any"),
      choice("Risk or dose", "target", offered.targets, "none"),
      entry("at least", "low", "number", offered.unit), entry("at most", "high", "number", offered.unit)),
      make("button", { type: "button", onclick: () => send({ filters: {}, page: 0 }) }, "Everybody"));
  }
  function histogram(given) {
    if (!given.counts.length) return null;
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const most = Math.max(...given.counts, 1), wide = 100 / given.counts.length;
    svg.setAttribute("viewBox", "0 0 100 30"); svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("role", "img"); svg.setAttribute("aria-label", given.text);
    given.counts.forEach((count, i) => {
      const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      const tall = 30 * count / most;
      for (const [name, value] of Object.entries({ x: i * wide + wide * .05, y: 30 - tall, width: wide * .9, height: tall, class: "pv-down" }))
        bar.setAttribute(name, value);
      const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
      title.textContent = `${given.labels[i]}: ${count}`;
      bar.append(title); svg.append(bar);
    });
    return make("figure", { class: "pv-histogram" }, make("figcaption", {}, given.title), svg,
                make("div", { class: "pv-ends pv-muted" }, ...given.ends.map(text => make("span", {}, text))));
  }
  function showCohort() {
    const given = model.get("cohort"), page = model.get("page");
    const focused = [...left.querySelectorAll("input,select,button")].indexOf(document.activeElement);
    cohortControls(given.offered);
    if (focused >= 0) left.querySelectorAll("input,select,button")[focused]?.focus();
    shownForm = "cohort";
    change.replaceChildren(...[histogram(given.histogram)].filter(Boolean));
    const head = make("tr", {}, ...given.columns.map(name => make("th", { scope: "col" }, name)));
    const body = given.rows.map(row => make("tr", {},
      make("th", { scope: "row" }, make("button", { type: "button", class: "pv-link", onclick: () => send({ patient: row[0] }) }, row[0])),
      ...row.slice(1).map(cell => make("td", {}, cell ?? "unknown"))));
    const turn = (step, text, possible) => make("button", { type: "button", disabled: !possible, onclick: () => send({ page: page + step }) }, text);
    plan.replaceChildren(
      make("div", { class: "pv-scroll" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...body))),
      make("p", {}, turn(-1, "Before", page > 0), ` page ${page + 1} of ${given.pages.toLocaleString("en")} `, turn(1, "Next", page + 1 < given.pages)));
  }

  const show = () => {
    root.removeAttribute("aria-busy");
    said.textContent = model.get("said");
    said.classList.toggle("pv-caution", model.get("wrong"));
    if (model.get("patient")) showPatient(); else showCohort();
  };
  model.on("change:answered", show);
  show();
  return () => model.off("change:answered", show);
}

export default { render };
