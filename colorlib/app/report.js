// A report in a frame that runs no script and has an origin of its own.
export default function ({ data, parentElement }) {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "");
  frame.title = data.title;
  frame.srcdoc = data.content;
  parentElement.querySelector("div").replaceChildren(frame);
}
