// The large parts of the page, as scripts: opened as a file, a page may load scripts and nothing else.

globalThis.parts = globalThis.parts || {}; // name -> what a script of this folder left there

/** Load a script of this folder and return the part that it leaves. */
function part(name) {
  part.loading ??= {};
  part.loading[name] ??= new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: `${name}.js` });
    script.onload = () => {
      script.remove();
      if (globalThis.parts[name]) resolve(globalThis.parts[name]);
      else reject(new Error(`${name}.js is damaged: the folder of this page has to be copied anew.`));
    };
    script.onerror = () => {
      delete part.loading[name];
      reject(new Error(`${name}.js is missing: the folder of this page has to be copied as a whole.`));
    };
    document.head.append(script);
  });
  return part.loading[name];
}

/** Bytes of what was packed with gzip, whose checksum tells damage, and written in base64. */
async function unpacked(text) {
  try {
    const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw new Error("A file of this page is damaged: its folder has to be copied anew.");
  }
}
