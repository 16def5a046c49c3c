// Small pictures in a row to go through, by hand or with the arrow keys.
const follow = (name, tries = 80) => { // to the photograph that was picked, once it is there
  const found = document.querySelector(".photo-name");
  if (found?.querySelector("b").textContent === name) found.scrollIntoView({ behavior: "smooth" });
  else if (tries) setTimeout(() => follow(name, tries - 1), 250);
};

export default function ({ data, parentElement, setTriggerValue }) {
  const strip = parentElement.querySelector(".strip");
  const kept = new Map([...strip.children].map((button) => [button.dataset.id, button]));
  const buttons = data.items.map(({ id, name, state, picture, chosen }) => {
    const button = kept.get(id) || document.createElement("button");
    const shown = JSON.stringify([name, state, picture]);
    if (button.dataset.shown !== shown) {
      button.replaceChildren();
      const frame = button.appendChild(document.createElement("span"));
      frame.className = "frame";
      if (picture) {
        const image = frame.appendChild(document.createElement("img"));
        image.src = picture;
        image.alt = "";
      } else if (state === "failed") {
        frame.textContent = "!";
      }
      const label = button.appendChild(document.createElement("span"));
      label.className = "name";
      label.textContent = name;
    }
    Object.assign(button.dataset, { id, shown });
    button.className = state;
    button.disabled = state !== "done";
    button.title = name;
    button.role = "option";
    button.ariaSelected = String(chosen);
    button.onclick = () => {
      setTriggerValue("pick", id);
      follow(name);
    };
    return button;
  });
  if (buttons.length !== kept.size || buttons.some((button, number) => strip.children[number] !== button)) {
    strip.replaceChildren(...buttons);
  }
  strip.onkeydown = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const ready = [...strip.children].filter((button) => !button.disabled);
    const next = ready[ready.indexOf(event.target) + step];
    next?.focus();
    next?.click();
  };
}
