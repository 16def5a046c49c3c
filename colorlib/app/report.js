// A report in a frame that runs no script and has an origin of its own.
export default function ({ data, parentElement }) {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "");
  frame.title = data.title;
  frame.style.cssText = "display: block; width: 100%; height: calc(100vh - 5rem); min-height: 20rem; border: 0";
  frame.srcdoc = data.content;
  parentElement.querySelector("div").replaceChildren(frame);
}
