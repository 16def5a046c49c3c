"""A page without a server: a folder whose ``index.html`` colours photographs in the visitor's own browser.

It opens from a disk or from any static host. Opened from a disk a page may load scripts and nothing else, so runtime
and models stand in scripts, packed; what computes runs in a worker that is made of a text. The page's own files lie in
``browser/``; its arithmetic is that of :mod:`colorlib.pictures.shrinking` and :mod:`colorlib.deployment.enlarging`.

The runtime is ONNX Runtime's for browsers, WebAssembly on one thread, which asks nothing of the host. npm brings it.
"""

import base64
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

import colorlib
from colorlib.bars import progress_bar
from colorlib.deployment.loading import shipped_models
from colorlib.deployment.onnx_export import export_onnx
from colorlib.deployment.onnx_file import FORMAT, SIDES, OnnxColorizer
from colorlib.files import LIBRARY, atomic_path
from colorlib.pictures.mark import Mark
from colorlib.pictures.metadata import Metadata
from colorlib.pictures.tone import TONED
from colorlib.pictures.writing import parts_before_pixels

SOURCES = Path(__file__).parent / "browser"
PAGE = ("index.html", "style.css", "parts.js", "reading.js", "writing.js", "page.js")
WORKER = ("color.js", "resampling.js", "tone.js", "enlarging.js", "worker.js")
RUNTIME = "onnxruntime-web@1.30.0"
CHECKSUM = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="  # SHA-512, of npm


def write_browser_page(out: Path | str, models: Iterable[Path | str] = ()) -> list[Path]:
    """Write the folder of the page.

    Args:
        out: a folder that is new, empty, or an earlier page, which is written anew.
        models: names for :func:`~colorlib.deployment.loading.load_colorizer`, or files of
            :func:`~colorlib.deployment.onnx_export.export_onnx`; the first is chosen when the page opens. Without any,
            those that ship.

    Returns:
        The files.

    Raises:
        ValueError: the folder holds something else; no such model; a file of another version.
        RuntimeError: npm or the extra ``onnx`` is not installed.
        OSError: the runtime could not be fetched, or the folder cannot be written.
    """
    out = Path(out)
    if out.exists() and not _is_page(out) and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"{out} holds something else than this page; name a new folder.")
    runtime, told = fetch_runtime(), []
    texts = {"runtime.js": _script("runtime", _runtime(runtime))}
    for number, model in enumerate(progress_bar(models or shipped_models(), desc="writing models", unit="model"), 1):
        content, about = _model(model)
        part = f"model-{number}"
        texts[f"{part}.js"] = _script(part, {"format": FORMAT, "packed": _packed(content)})
        told.append({"part": part, **about})
    page = {"version": colorlib.__version__, "format": FORMAT, "toned": TONED, "models": told}
    texts = {"about.js": _script("about", page), **texts}  # first: by it a page is known that was cut off
    texts |= {name: (SOURCES / name).read_text(encoding="utf-8") for name in PAGE}
    texts |= {"icon.svg": (LIBRARY / "app" / "icon.svg").read_text(encoding="utf-8")}
    out.mkdir(parents=True, exist_ok=True)
    for earlier in out.glob("model-*.js"):
        earlier.unlink()
    for name, text in texts.items():
        with atomic_path(out / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return [out / name for name in texts]


def _is_page(folder: Path) -> bool:
    """Tell whether a folder is an earlier page, whole or cut off; others have an ``about.js`` too."""
    try:
        return (folder / "about.js").read_text(encoding="utf-8", errors="replace").startswith(_place("about"))
    except OSError:
        return False


def fetch_runtime() -> dict[str, bytes]:
    """Return the files of ONNX Runtime for browsers, by name; npm fetches them once and their checksum is verified.

    Raises:
        RuntimeError: npm is not installed.
        OSError: npm could not fetch them.
        ValueError: what it brought is something else; nothing was kept.
    """
    archive = kept_runtime()
    if not archive.is_file():
        npm = shutil.which("npm")
        if not npm:
            raise RuntimeError(f"the page takes {RUNTIME} from npm, which is not installed; it comes with Node.js.")
        archive.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
            done = subprocess.run([npm, "pack", "--silent", RUNTIME], cwd=folder, capture_output=True, text=True)
            fetched = next(Path(folder).glob("*.tgz"), None)
            if done.returncode or fetched is None:
                why = (done.stderr.strip().splitlines() or ["without a word"])[0]
                raise OSError(f"npm could not fetch {RUNTIME} ({why}); try again, or see `npm ping`.")
            os.replace(fetched, archive)
    if base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != CHECKSUM:
        archive.unlink()
        raise ValueError(f"what npm brought as {RUNTIME} has another checksum; nothing was kept, try again.")
    with tarfile.open(archive) as held:
        wanted = ("dist/ort.wasm.min.js", "dist/ort-wasm-simd-threaded.mjs", "dist/ort-wasm-simd-threaded.wasm")
        return {Path(name).name: held.extractfile(f"package/{name}").read() for name in wanted}  # type: ignore[union-attr]


def kept_runtime() -> Path:
    """Return where the runtime's archive lies once it was fetched."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "colorlib"
    return cache / f"{RUNTIME.replace('@', '-')}.tgz"


def _runtime(files: dict[str, bytes]) -> dict[str, str]:
    texts = [files["ort.wasm.min.js"].decode(), *((SOURCES / name).read_text(encoding="utf-8") for name in WORKER)]
    return {
        "source": "\n".join(texts),
        "glue": files["ort-wasm-simd-threaded.mjs"].decode(),
        "program": _packed(files["ort-wasm-simd-threaded.wasm"]),
    }


def _model(model: Path | str) -> tuple[bytes, dict]:
    """Return a model's ONNX file, with its large kernels in int8, and what the page needs to know of it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(model) if str(model).endswith(".onnx") else export_onnx(model, Path(folder) / "model.onnx", "int8")
        written, content = OnnxColorizer(file), file.read_bytes()
    parts = parts_before_pixels(Mark(written.name, colorlib.__version__).on(Metadata()))
    recipe = written.recipe
    return content, {
        "name": recipe.name,
        "about": recipe.about.replace(" Takes hints.", ""),  # on this page nobody gives any
        "shortSide": recipe.short_side,
        "leastSide": round(SIDES[0] * recipe.short_side),
        "mark": {"image/jpeg": _packed(parts["JPEG"]), "image/png": _packed(parts["PNG"])},
    }


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, mtime=0)).decode()


def _script(name: str, part: dict) -> str:
    return f"{_place(name)}{json.dumps(part)};\n"


def _place(name: str) -> str:
    return f"(globalThis.parts ??= {{}})[{json.dumps(name)}] = "
