"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const list = document.getElementById("cluster"), search = document.getElementById("search");
const facts = document.getElementById("facts"), note = document.getElementById("note");
const samples = document.getElementById("samples"), count = document.getElementById("count");
let shown = 0;

function text(parent, value, name) {
  const span = document.createElement("span");
  if (name) span.className = name;
  span.textContent = value;
  parent.append(span);
}

// a line end is shown as a sign and kept as one; what else the token has stays with it
function token(parent, value, name) {
  value.split(/(\r\n|\n|\r)/).forEach((part) => {
    if (/^[\r\n]+$/.test(part)) { text(parent, "\u21b5", (name || "") + " end"); text(parent, "\n"); }
    else if (part) text(parent, part, name);
  });
}

function matches(sample, wanted) {
  return !wanted || (sample.before.join("") + sample.answer + sample.after.join("")).toLowerCase().includes(wanted);
}

function draw() {
  const cluster = data[shown], wanted = search.value.toLowerCase();
  list.value = String(shown);
  const number = (value, digits) => value === null ? "\u2013" : value.toFixed(digits);
  facts.textContent = `${cluster.size} samples, cohesion ${number(cluster.cohesion, 3)}, ` +
    `separation ${number(cluster.separation, 3)}, answers ${number(cluster.entropy, 2)} bits: ` +
    cluster.answers.map(([answer, n]) => JSON.stringify(answer) + " \u00d7" + n).join("  ");
  note.textContent = cluster.note;
  const found = cluster.samples.filter((sample) => matches(sample, wanted));
  count.textContent = wanted ? `${found.length} of ${cluster.samples.length} here` : "";
  samples.replaceChildren(...found.map((sample) => {
    const box = document.createElement("div");
    box.className = "sample";
    const head = document.createElement("small");
    head.textContent = `document ${sample.document}, token ${sample.position}, loss ${sample.loss.toFixed(4)} nats`;
    box.append(head);
    if (sample.cut) text(box, "\u2026", "end");
    sample.before.forEach((piece) => token(box, piece));
    token(box, sample.answer, "answer");
    sample.after.forEach((piece) => token(box, piece, "after"));
    return box;
  }));
  window.scrollTo(0, 0);
}

// with a search, the arrows go to clusters that have a match
function step(by) {
  const wanted = search.value.toLowerCase();
  for (let at = shown + by; at >= 0 && at < data.length; at += by)
    if (data[at].samples.some((sample) => matches(sample, wanted))) { shown = at; draw(); return; }
}

data.forEach((cluster, at) => {
  const option = document.createElement("option");
  option.value = String(at);
  option.textContent = `${cluster.rank}. cluster ${cluster.cluster}, ${cluster.size}` +
    (cluster.label ? ": " + cluster.label : "");
  list.append(option);
});
list.addEventListener("change", () => { shown = Number(list.value); draw(); });
search.addEventListener("input", () => {
  const wanted = search.value.toLowerCase();
  if (!data[shown].samples.some((sample) => matches(sample, wanted))) {
    const first = data.findIndex((cluster) => cluster.samples.some((sample) => matches(sample, wanted)));
    if (first >= 0) shown = first;
  }
  draw();
});
document.addEventListener("keydown", (event) => {
  if (event.target === search && event.key !== "Escape") return;
  if (event.key === "Escape") search.blur();
  else if (event.key === "ArrowRight") step(1);
  else if (event.key === "ArrowLeft") step(-1);
  else if (event.key === "/") search.focus();
  else return;
  event.preventDefault();
});
const asked = Number(location.hash.slice(1)) - 1;
if (asked > 0 && asked < data.length) shown = asked;
draw();
