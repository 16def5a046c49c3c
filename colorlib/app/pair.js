// A pair of pictures that is shown for a moment, then asked about. All times are the browser's: the clock of the answer
// begins when the pictures vanish, and they are shown only once both are there and decoded.
export default function ({ data, parentElement, setTriggerValue }) {
  const pair = parentElement.querySelector(".pair");
  if (pair.dataset.number === String(data.number)) return; // drawn again; a pair is shown once
  pair.dataset.number = data.number;
  const squares = [...pair.querySelectorAll(".square")];
  const buttons = [...parentElement.querySelectorAll("button")];
  const images = data.pictures.map((address) => Object.assign(new Image(), { src: address, alt: "" }));
  pair.style.setProperty("--side", `${data.side}px`);
  pair.classList.remove("shown");
  squares.forEach((square, number) => square.replaceChildren(...images.slice(number, number + 1)));

  let hidden = null;
  const current = () => pair.dataset.number === String(data.number) && pair.isConnected;
  const answer = (side) => {
    if (hidden === null || !current()) return;
    const seconds = (performance.now() - hidden) / 1000;
    hidden = null;
    enable(false);
    setTriggerValue("answer", { number: data.number, side, seconds });
  };
  const enable = (ready) => buttons.forEach((button) => { button.disabled = !ready; });
  buttons.forEach((button) => { button.onclick = () => answer(button.dataset.side); });
  const press = (event) => {
    const side = { ArrowLeft: "left", ArrowRight: "right" }[event.key];
    if (side && !event.repeat) answer(side);
  };
  document.addEventListener("keydown", press);
  enable(false);

  const wait = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  (async () => {
    await Promise.all(images.map((image) => image.decode()));
    if (images.length) {
      await wait(data.lead);
      await frame();
      pair.classList.add("shown");
      await wait(data.seconds);
      await frame();
      pair.classList.remove("shown");
    }
    squares.forEach((square) => square.replaceChildren());
    if (!current()) return;
    hidden = performance.now();
    enable(true);
  })();
  return () => document.removeEventListener("keydown", press);
}
