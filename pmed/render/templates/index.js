"use strict";
const body = document.querySelector("tbody");
const entries = [...body.rows].map(row => ({
  row, words: row.textContent.toLowerCase(), urgency: row.dataset.urgency,
  todo: [...row.querySelectorAll("li")].map(one => one.dataset),
}));
const [search, urgency, drug, action, shown] = ["search", "urgency", "drug", "action", "shown"].map(
  id => document.getElementById(id));

function fits(entry) {
  return search.value.toLowerCase().split(/\s+/).every(word => entry.words.includes(word))
    && (!urgency.value || entry.urgency === urgency.value)
    && (!(drug.value || action.value) || entry.todo.some(
      one => (!drug.value || one.drug === drug.value) && (!action.value || one.action === action.value)));
}

function filter() {
  let count = 0;
  for (const entry of entries) {
    const fit = fits(entry);
    entry.row.hidden = !fit;
    count += fit;
  }
  shown.textContent = `${count} of ${entries.length} shown`;
}

function key(entry, column, numeric) {
  const cell = entry.row.cells[column];
  return numeric ? Number(cell.dataset.sort ?? (cell.textContent || -1)) : cell.textContent;
}

function sort(header) {
  const up = header.ariaSort !== "ascending", numeric = "numeric" in header.dataset;
  const order = new Intl.Collator(undefined, {numeric: true}).compare;
  const keyed = entries.map(entry => [key(entry, header.cellIndex, numeric), entry.row]);
  keyed.sort(([a], [b]) => (numeric ? a - b : order(a, b)) * (up ? 1 : -1));
  body.append(...keyed.map(([, row]) => row));
  for (const other of header.parentNode.cells) other.removeAttribute("aria-sort");
  header.ariaSort = up ? "ascending" : "descending";
}

for (const header of document.querySelectorAll("thead th")) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...header.childNodes);
  button.addEventListener("click", () => sort(header));
  header.append(button);
}
const form = document.querySelector("form");
form.hidden = false;
form.addEventListener("submit", event => event.preventDefault());
form.addEventListener("input", filter);
filter();
