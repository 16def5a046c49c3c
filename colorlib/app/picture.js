// A picture with a slider between before and after, or one on which hints are clicked and brushed.
const SVG = "http://www.w3.org/2000/svg";
const MOST = 150; // points of a stroke

export default function ({ data, parentElement, setTriggerValue }) {
  const figure = parentElement.querySelector("figure");
  const part = (name) => figure.querySelector(name);
  const { before, after, labels, width, height, strokes, tool } = data;

  figure.className = [!before && "single", strokes && "hintable", tool?.brush && "brush", width < 200 && "tiny"]
    .filter(Boolean).join(" ");
  figure.style.aspectRatio = `${width} / ${height}`;
  figure.style.width = `min(100%, calc(75vh * ${width / height}), ${12 * width}px)`;
  part(".after").src = after;
  part(".before").src = before || "";
  part(".left").textContent = before ? labels[0] : "";
  part(".right").textContent = labels[1];
  part(".after").alt = labels[1];
  part(".before").alt = labels[0];

  const slider = part("input");
  slider.ariaLabel = `Slide between: ${labels.join(", ")}`;
  const slide = () => figure.style.setProperty("--split", `${slider.value}%`);
  slider.oninput = slide;
  slide();

  const svg = part(".strokes");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const short = Math.min(width, height);
  const drawn = ({ points, color, radius }, wet) => {
    const group = document.createElementNS(SVG, "g");
    const way = points.concat(points.length < 2 ? points : []).map(([x, y]) => `${x * width},${y * height}`).join(" ");
    for (const name of points.length < 2 ? ["dot rim", "dot"] : wet ? ["wet"] : ["rim", "way"]) {
      const line = document.createElementNS(SVG, "polyline");
      line.setAttribute("points", way);
      line.setAttribute("class", name);
      line.style.stroke = name.includes("rim") ? "#fff" : color;
      if (wet) line.style.strokeWidth = 2 * radius * short;
      if (wet) line.style.vectorEffect = "none";
      group.append(line);
    }
    return group;
  };
  svg.replaceChildren(...(strokes || []).map((stroke) => drawn(stroke, false)));

  const place = (event) => {
    const box = figure.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  let points = null;
  figure.onclick = tool && !tool.brush ? (event) => setTriggerValue("stroke", [place(event)]) : null;
  figure.onpointerdown = tool?.brush ? (event) => {
    event.preventDefault();
    figure.setPointerCapture(event.pointerId);
    points = [place(event)];
  } : null;
  figure.onpointermove = tool?.brush ? (event) => {
    if (!points) return;
    const [x, y] = place(event), [lastX, lastY] = points.at(-1);
    if (Math.hypot((x - lastX) * width, (y - lastY) * height) < tool.radius * short / 2 || points.length >= MOST) return;
    points.push([x, y]);
    svg.querySelector(".drawing")?.remove();
    const group = drawn({ points, ...tool }, true);
    group.classList.add("drawing");
    svg.append(group);
  } : null;
  figure.onpointerup = tool?.brush ? () => {
    if (points) setTriggerValue("stroke", points);
    points = null;
  } : null;
}
