"use strict";
// Every text goes in by textContent: what a token holds is never read as markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const SVG = "http://www.w3.org/2000/svg", SIZE = 320, EDGE = 14, MARKS = "abcdefghij";
  const drawn = [];
  let here = 0, colour = data.colour;

  const made = (parent, name, classes, text) => {
    const item = document.createElement(name);
    if (classes) item.className = classes;
    if (text !== undefined) item.textContent = text;
    parent.appendChild(item);
    return item;
  };
  const drawnIn = (parent, name, attributes) => {
    const item = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) item.setAttribute(key, value);
    parent.appendChild(item);
    return item;
  };
  const group = (row) => data[colour].groups[row];

  const plane = (host, told) => {
    const [first, second] = told.axes;
    const figure = made(host, "figure");
    made(figure, "figcaption", "", told.text);
    const svg = drawnIn(figure, "svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, tabindex: 0, role: "img",
      "aria-label": `Components ${first} and ${second}; arrow keys walk the points` });
    const xs = data.scores.map((row) => row[first - 1]), ys = data.scores.map((row) => row[second - 1]);
    const reach = Math.max(1e-9, ...xs.map(Math.abs), ...ys.map(Math.abs));
    const at = (value) => SIZE / 2 + (value / reach) * (SIZE / 2 - EDGE);
    drawnIn(svg, "path", { d: `M0 ${SIZE / 2}H${SIZE}M${SIZE / 2} 0V${SIZE}`, class: "axis" });
    const marks = xs.map((x, row) => {
      const mark = drawnIn(svg, "text", { x: at(x).toFixed(1), y: (SIZE - at(ys[row]) + 4).toFixed(1) });
      mark.addEventListener("mouseenter", () => show(row));
      mark.addEventListener("click", () => show(row));
      return mark;
    });
    const ring = drawnIn(svg, "circle", { r: 8, class: "here" });
    const order = xs.map((_, row) => row).sort((a, b) => Math.atan2(ys[a], xs[a]) - Math.atan2(ys[b], xs[b]));
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      show(order[(order.indexOf(here) + step + order.length) % order.length]);
    });
    drawn.push({ marks, point: (row) => { ring.setAttribute("cx", at(xs[row])); ring.setAttribute("cy", SIZE - at(ys[row])); } });
  };

  const paint = () => {
    for (const { marks } of drawn) {
      marks.forEach((mark, row) => {
        const number = group(row);
        mark.textContent = number < 0 ? "·" : MARKS[number];
        mark.setAttribute("class", number < 0 ? "mark other" : `mark c${number}`);
      });
    }
    const list = document.getElementById("legend");
    list.replaceChildren();
    data[colour].tokens.forEach(([text, count], number) => {
      const item = made(list, "li");
      made(item, "b", "", MARKS[number]);
      made(item, "span", "", `${text} (${count})`);
    });
    const rest = made(list, "li");
    made(rest, "b", "", "·");
    made(rest, "span", "", `any other (${data[colour].others})`);
  };

  const show = (row) => {
    here = row;
    for (const item of drawn) item.point(row);
    const told = data.contexts[row], box = document.getElementById("context"), table = document.getElementById("values");
    box.replaceChildren();
    told.tokens.forEach((token, at) => made(box, at === told.peak ? "mark" : "span", "", token));
    document.getElementById("where").textContent =
      `point ${row + 1} of ${data.scores.length}, document ${told.document}, token ${JSON.stringify(told.tokens[told.peak])}`;
    table.replaceChildren();
    for (const [feature, value] of told.features) {
      const line = made(table, "tr");
      made(line, "td", "", `#${feature}`);
      made(line, "td", "number", value.toFixed(3));
      made(line, "td", "", data.labels[feature] || "");
    }
  };

  data.planes.forEach((told) => plane(document.getElementById("planes"), told));
  const choice = document.getElementById("colour");
  choice.value = colour;
  choice.addEventListener("change", () => { colour = choice.value; paint(); });
  paint();
  if (data.scores.length) show(0);
})();
