"""Draw every page of the dashboard into docs/screenshots/*.png, in a real Chromium over a filled data directory.

    python scripts/screenshots.py                     # three days of the replayed world, thumbs given on each
    python scripts/screenshots.py --data ~/.local/share/scout --day 2025-12-03
    python scripts/screenshots.py --measured DIR --trained DIR    # Models and Fun, and Training, from other directories

Light on a desktop for all pages, dark and a phone's width for the digest and Models. Models, Fun and Training are drawn where a
directory has something to show on them, since that needs a served model. Needs the dev packages and a Chromium.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from browser import chromium, chromium_path, served  # noqa: E402
from conftest import SERVE, start_world  # noqa: E402

from scout.clock import now  # noqa: E402
from scout.items import Aspect, Feedback  # noqa: E402
from scout.store import Store  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Page

DAYS = ("2025-12-01", "2025-12-02", "2025-12-03")
READER = "me"
LIKED = ("agent", "reinforcement", "reasoning", "reward", "evaluat", "benchmark", "tool")
"""What the reader of the screenshots gives a thumb up; everything else shown gets one down, up to a few a day."""
MEASURED = ("models", "fun")
"""Pages that show runs of suites."""
WHOLE = {"models"}
"""Pages drawn from top to bottom; of the others the first screen."""
SMALL = {"digest", "models"}
"""Pages that are also drawn dark, and on a phone."""
DESKTOP, PHONE = {"width": 1360, "height": 1000}, {"width": 390, "height": 844}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, help="a filled data directory; the replayed world's unless given")
    options.add_argument("--measured", type=Path, help="a data directory with runs of suites, for Models and Fun")
    options.add_argument("--trained", type=Path, help="a data directory with training runs, for Training")
    options.add_argument("--day", default=DAYS[-1], help="the day that counts as today")
    options.add_argument("--only", action="append", default=[], metavar="PAGE", help="these pages only, such as models")
    options.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    given = options.parse_args()
    if chromium_path() is None:
        return complain("no chromium on this machine (apt install chromium)")
    places = {**dict.fromkeys(MEASURED, given.measured), "training": given.trained}
    elsewhere = {name: folder for name, folder in places.items() if folder}
    given.out.mkdir(parents=True, exist_ok=True)
    if not given.only or set(given.only) - set(elsewhere):
        if given.data is None and not SERVE.exists():
            return complain("the replayed world is not beside this checkout; name a filled directory with --data")
        with nullcontext(given.data) if given.data else lived() as data:
            draw_from(data, [name for name in given.only or pages(data) if name not in elsewhere], given)
    for folder in dict.fromkeys(elsewhere.values()):
        draw_from(folder, [name for name in given.only or elsewhere if elsewhere.get(name) == folder], given)
    return 0


def draw_from(data: Path, wanted: Sequence[str], given: argparse.Namespace) -> None:
    """Those of the wanted pages that the directory has something to show on."""
    found = {name: place for name, place in pages(data).items() if name in wanted}
    if found:
        env = {"SCOUT_DATA_DIR": str(data), "SCOUT_CONFIG": str(data / "scout.toml"), "SCOUT_TODAY": given.day}
        with served(env) as url:
            draw(url, given.out, found)


def complain(message: str) -> int:
    print(f"screenshots: {message}", file=sys.stderr)
    return 1


@contextmanager
def lived() -> Iterator[Path]:
    """A data directory in which someone has read for three days: runs in the replayed world, and thumbs after each."""
    with TemporaryDirectory(prefix="scout-screenshots-") as folder:
        data = Path(folder)
        process, world = start_world("--date", DAYS[0])
        try:
            opml = data / "feeds.opml"
            opml.write_bytes(urllib.request.urlopen(f"{world.url}/feeds.opml", timeout=10).read())  # noqa: S310 - loopback
            scout("sources", "import", str(opml), env=world.env(DAYS[0], data))
            for day in DAYS:
                world.go(day)
                scout("run", env=world.env(day, data))
                if day != DAYS[-1]:
                    thumb(data)
        finally:
            process.terminate()
            process.wait(timeout=10)
        yield data


def scout(*words: str, env: Mapping[str, str]) -> None:
    subprocess.run([sys.executable, "-m", "scout", *words], env={**os.environ, **env}, check=True)


def thumb(data: Path) -> None:
    """What the reader says of the newest digest."""
    with Store(data / "scout.db") as store:
        store.readers.onboarded(READER)
        day = store.digests.dates(READER)[0]
        snapshot = store.digests.get(READER, day) or {"subjects": [], "unsure": []}
        entries = [entry for block in snapshot["subjects"] for entry in block["items"]] + snapshot["unsure"]
        for place, entry in enumerate(entries[:40]):
            liked = any(word in entry["title"].lower() for word in LIKED)
            word = Feedback(READER, entry["id"], Aspect.THUMB, "up" if liked else "down", now(), origin="dashboard")
            store.feedback.add(word)
            if liked and place % 3 == 0:
                store.feedback.add(Feedback(READER, entry["id"], Aspect.SAVED, "yes", now(), origin="dashboard"))


def item_to_show(data: Path) -> str:
    """An item of the newest digest that has a summary and, where there is one, a community's upvotes."""
    with Store(data / "scout.db") as store:
        days = store.digests.dates(READER)
        snapshot = (store.digests.get(READER, days[0]) if days else None) or {"subjects": []}
        ids = [entry["id"] for block in snapshot["subjects"] for entry in block["items"] if entry["summary"]["points"]]
        picked = store.signals.of(ids)
        return next(iter([id for id in ids if id in picked] or ids), "")


def has_trained(data: Path) -> bool:
    """Whether there is a training run to show: that needs torch, which this script does not."""
    with Store(data / "scout.db") as store:
        return bool(store.training.listing(READER, limit=1))


def has_measured(data: Path) -> bool:
    """Whether there are runs of suites to show: those need a served model, which this script does not."""
    with Store(data / "scout.db") as store:
        return bool(store.evals.listing(only_done=True, limit=1))


def pages(data: Path) -> dict[str, str]:
    """Name → where it is."""
    return {
        "digest": "/", "search": "/search?q=tool+agents", "saved": "/saved", "sources": "/sources", "subjects": "/subjects",
        "missed": "/missed", "policy": "/policy", "readers": "/readers", "runs": "/runs",
        "item": f"/item?item={item_to_show(data)}", "welcome": "/welcome",
        **({"training": "/training"} if has_trained(data) else {}),
        **({name: f"/{name}" for name in MEASURED} if has_measured(data) else {}),
    }  # fmt: skip


def draw(url: str, out: Path, places: Mapping[str, str]) -> None:
    path = chromium_path()
    assert path is not None
    with chromium(path, viewport=DESKTOP, color_scheme="light", device_scale_factor=1.5) as context:
        for name, place in places.items():
            shoot(context.new_page(), url + place, out / f"{name}.png", whole=name in WHOLE)
    small = {name: place for name, place in places.items() if name in SMALL}
    with chromium(path, viewport=DESKTOP, color_scheme="dark", device_scale_factor=1.5) as context:
        for name, place in small.items():
            shoot(context.new_page(), url + place, out / f"{name}-dark.png")
    with chromium(path, viewport=PHONE, color_scheme="light", device_scale_factor=2, is_mobile=True) as context:
        for name, place in small.items():
            shoot(context.new_page(), url + place, out / f"{name}-phone.png")


def shoot(page: Page, url: str, file: Path, *, whole: bool = False) -> None:
    """The first screen of a page, or all of it, once nothing on it moves."""
    page.goto(url)
    page.locator("[data-testid=stMainBlockContainer] :is(.sc, h1)").first.wait_for()
    page.wait_for_function("() => !document.querySelector('[data-testid=stStatusWidget], [data-testid=stSkeleton]')")
    page.wait_for_load_state("networkidle")
    page.evaluate("() => document.fonts.ready")
    page.wait_for_timeout(500)  # charts fade in
    if whole:
        height = settled(page)
        page.set_viewport_size({"width": DESKTOP["width"], "height": height + 40})
        page.wait_for_timeout(1500)  # charts are drawn anew
    page.screenshot(path=str(file))
    page.close()
    shrink(file)
    print(file)


def settled(page: Page) -> int:
    """The page's whole height in pixels, once it is the same for two seconds: on a busy machine sections come one by one."""
    same, height = 0, -1
    while same < 4:
        page.wait_for_timeout(500)
        now_high = int(page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollHeight"))
        same, height = (same + 1, height) if now_high == height else (0, now_high)
    return height


def shrink(file: Path) -> None:
    """A page has few colours: 256 of them are a third of the bytes, and look the same. The commonest stay as they are."""
    with Image.open(file) as opened:
        picture = opened.convert("RGB")
    colors = cast("list[tuple[int, tuple[int, ...]]]", picture.getcolors(picture.width * picture.height))  # of RGB
    counted = sorted(colors, reverse=True)[:128]
    rare = picture.quantize(128, method=Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for _, color in counted for part in color] + rare[: 3 * (256 - len(counted))])
    picture.quantize(palette=palette, dither=Image.Dither.NONE).save(file, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
