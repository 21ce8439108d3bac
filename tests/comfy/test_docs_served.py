"""Help pages and translations over the server's own addresses, asked for as the frontend does."""

import urllib.error
import urllib.parse
import urllib.request

import pytest
from paths import ROOT


@pytest.fixture(scope="module")
def ours(object_info):
    """Node id -> the name of the pack's folder, as the frontend takes it from the node's module."""
    return {
        name: info["python_module"].split(".")[1] for name, info in object_info.items() if name.startswith("CLEAR_")
    }


def fetch(server, path):
    """The text at an address, None where there is none."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            server.address + urllib.parse.quote(path), timeout=30
        ) as answer:
            assert "html" not in answer.headers.get("Content-Type", ""), "newer frontends take HTML for a missing page"
            return answer.read().decode("utf-8")
    except urllib.error.HTTPError as error:
        assert error.code == 404, path
        return None


@pytest.mark.parametrize("language, beginning", [("en", "# {}"), ("ja", "# {}"), ("zh", "# ")])
def test_every_node_has_its_help(comfyui, object_info, ours, language, beginning):
    assert ours
    for node_id, folder in ours.items():
        text = fetch(comfyui, f"/extensions/{folder}/docs/{node_id}/{language}.md") or fetch(
            comfyui, f"/extensions/{folder}/docs/{node_id}.md"
        )
        assert text and text.startswith(beginning.format(object_info[node_id]["display_name"])), node_id
    assert (language == "zh") == (fetch(comfyui, f"/extensions/{folder}/docs/{node_id}/zh.md") == text)


def test_pictures_of_the_pages_arrive(comfyui, ours):
    folder = set(ours.values()).pop()
    for path in (ROOT / "web" / "docs" / "pictures").iterdir():
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            f"{comfyui.address}/extensions/{folder}/docs/pictures/{path.name}", timeout=30
        ) as answer:
            assert answer.headers["Content-Type"] == "image/jpeg" and answer.read() == path.read_bytes()


def test_translations_arrive(comfyui, ours):
    served = comfyui.get("/i18n")
    assert set(ours) <= set(served["zh"]["nodeDefs"])
    assert set(served) >= {path.name for path in (ROOT / "locales").iterdir()}
