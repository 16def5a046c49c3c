// A picture with a slider between before and after, or one that tells where it was clicked.
export default function ({ data, parentElement, setTriggerValue }) {
  const figure = parentElement.querySelector("figure");
  const part = (name) => figure.querySelector(name);
  const { before, after, labels, width, height, spots } = data;

  figure.className = [!before && "single", spots && "clickable", width < 200 && "tiny"].filter(Boolean).join(" ");
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

  part(".spots").replaceChildren(...(spots || []).map(([x, y, colour]) => {
    const spot = document.createElement("i");
    Object.assign(spot.style, { left: `${100 * x}%`, top: `${100 * y}%`, background: colour });
    return spot;
  }));
  figure.onclick = spots && ((event) => {
    const box = figure.getBoundingClientRect();
    setTriggerValue("spot", [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]);
  });
}
