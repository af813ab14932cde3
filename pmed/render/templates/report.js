(() => {
  const box = document.getElementById("find");
  if (!box) return;
  const rows = [...document.querySelectorAll(".rx")], groups = [...document.querySelectorAll(".group")];
  const lights = [...document.querySelectorAll("#finder input[type=checkbox]")], said = document.getElementById("found");
  const open = new Map(groups.map(one => [one, one.open]));
  const plain = text => text.toLowerCase().trim();
  const show = () => {
    const wanted = plain(box.value), on = new Set(lights.filter(one => one.checked).map(one => one.value));
    let count = 0;
    for (const row of rows) {
      const group = row.closest(".group").dataset.name;
      row.hidden = !on.has(row.dataset.light) || !plain(row.dataset.name + " " + group).includes(wanted);
      count += !row.hidden;
    }
    for (const one of groups) {
      one.hidden = !one.querySelector(".rx:not([hidden])");
      one.open = wanted ? !one.hidden : open.get(one);
    }
    said.textContent = said.dataset.words.replace("{n}", count);
  };
  document.getElementById("finder").hidden = false;
  box.addEventListener("input", show);
  lights.forEach(one => one.addEventListener("change", show));
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(one => { one.open = true; }));
  const follow = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let one = target && target.closest("details"); one; one = one.parentElement.closest("details")) one.open = true;
  };
  addEventListener("hashchange", follow);
  follow();
})();
