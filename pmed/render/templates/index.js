"use strict";
// A browser lays out some hundred rows in a blink and ten thousand in seconds: more are shown when they are asked for.
const FIRST = 300;
const body = document.querySelector("tbody"), form = document.querySelector("form");
const entries = [...body.rows].map(row => ({
  row, words: row.textContent.toLowerCase(), urgency: row.dataset.urgency,
  todo: [...row.querySelectorAll("li")].map(one => one.dataset),
}));
const [search, urgency, drug, action, shown, all] = ["search", "urgency", "drug", "action", "shown", "all"].map(
  id => document.getElementById(id));
let limit = FIRST;

function fits(entry) {
  return search.value.toLowerCase().split(/\s+/).every(word => entry.words.includes(word))
    && (!urgency.value || entry.urgency === urgency.value)
    && (!(drug.value || action.value) || entry.todo.some(
      one => (!drug.value || one.drug === drug.value) && (!action.value || one.action === action.value)));
}

function show() {
  const found = entries.filter(fits), some = found.slice(0, limit);
  body.replaceChildren(...some.map(entry => entry.row));
  const told = some.length < found.length ? shown.dataset.some : shown.dataset.found;
  shown.textContent = told.replace("{found}", found.length).replace("{all}", entries.length).replace("{some}", some.length);
  all.hidden = some.length === found.length;
}

function key(entry, column, numeric) {
  const cell = entry.row.cells[column];
  return numeric ? Number(cell.dataset.sort) : cell.textContent;
}

function sort(header) {
  const sign = header.ariaSort === "ascending" ? -1 : 1, numeric = "numeric" in header.dataset;
  const order = new Intl.Collator(undefined, {numeric: true}).compare;
  for (const entry of entries) entry.key = key(entry, header.cellIndex, numeric);
  entries.sort((a, b) => sign * (numeric ? a.key - b.key : order(a.key, b.key)));
  for (const other of header.parentNode.cells) other.removeAttribute("aria-sort");
  header.ariaSort = sign > 0 ? "ascending" : "descending";
  show();
}

for (const header of document.querySelectorAll("thead th")) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...header.childNodes);
  button.addEventListener("click", () => sort(header));
  header.append(button);
}
form.hidden = false;
form.addEventListener("submit", event => event.preventDefault());
form.addEventListener("input", () => { limit = FIRST; show(); });
all.addEventListener("click", () => { limit = Infinity; show(); });
show();
