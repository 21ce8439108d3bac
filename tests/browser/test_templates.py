"""The shipped graphs as a person sees them."""

from paths import ROOT

GRAPHS = sorted((ROOT / "workflows").glob("*.json"))


def test_every_template_opens_with_all_of_its_nodes(page):
    for graph in GRAPHS:
        page.load(graph)
        nodes = page.run_js("() => app.graph.nodes.map(n => [n.type, !!LiteGraph.registered_node_types[n.type]])")
        assert nodes and all(known or kind == "MarkdownNote" for kind, known in nodes), (graph.stem, nodes)
        links = page.run_js("() => app.graph.nodes.flatMap(n => n.inputs ?? []).filter(i => i.link != null).length")
        assert links == len(page.graph_file(graph)["links"]), graph.stem
