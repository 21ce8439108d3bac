// What the pack's scripts say, in English and Chinese, and what they share.
import { app } from "../../scripts/app.js"
import * as chinese from "./chinese.js"

const ENGLISH = {
    "draw subtitle": "subtitle",
    "draw limit": "may change",
    "draw protect": "protect",
    "draw subtitle: why": "draw where a subtitle is",
    "draw limit: why": "draw outside of which nothing may change",
    "draw protect: why": "draw what must stay as it is",
}

export function inChinese() {
    return String(app.extensionManager?.setting?.get?.("Comfy.Locale") ?? "en").startsWith("zh")
}

/** A text of the page in the page's language, where there is one. */
export function say(text) {
    return (inChinese() && chinese.word(text)) || ENGLISH[text] || text
}

/** A choice of an input as the page shows it. */
export function choice(input, value) {
    return (inChinese() && chinese.choice(input, value)) || value
}

/** The same of a text with a place for one value: "{} left". */
export function filled(text, value) {
    return say(text).replace("{}", value)
}

/** What the server says, in the page's language: "frame 12 of 49", a report, an error. */
export function told(text) {
    return inChinese() && text ? chinese.inChinese(text) : text
}

/** An element with properties, a style and children. */
export function element(tag, { style, ...properties } = {}, ...children) {
    const one = Object.assign(document.createElement(tag), properties)
    Object.assign(one.style, style)
    one.append(...children)
    return one
}

/** A small button. title: in words, said in the page's language. */
export function button(text, title, run) {
    const one = element("button", {
        textContent: text, title: say(title), type: "button",
        style: {
            font: "12px sans-serif", color: "#ddd", background: "#333", border: "1px solid #555", flex: "none",
            borderRadius: "4px", padding: "1px 6px", cursor: "pointer",
        },
    })
    one.setAttribute("aria-label", say(title))
    one.addEventListener("click", run)
    return one
}

/** The graph's id, which a prompt of it carries. */
export function workflowId() {
    return (app.rootGraph ?? app.graph)?.id ?? null
}

/** The node that a prompt calls by this id; inside subgraphs it is a path, "5:12". */
export function nodeOf(id) {
    let graph = app.rootGraph ?? app.graph
    const path = String(id).split(":")
    for (const part of path.slice(0, -1)) graph = graph?.getNodeById(Number(part))?.subgraph
    return graph?.getNodeById(Number(path.at(-1))) ?? null
}

/** Every node of the graph and of its subgraphs, with the id that a prompt calls it by. */
export function* allNodes(graph = app.rootGraph ?? app.graph, path = "") {
    for (const node of graph?.nodes ?? graph?._nodes ?? []) {
        yield [`${path}${node.id}`, node]
        if (node.subgraph) yield* allNodes(node.subgraph, `${path}${node.id}:`)
    }
}

const MARGIN = 10 // pixels that the page leaves free above a widget of HTML, and below it

/** Put an element on a node, below its inputs. It keeps nothing in saved workflows. height: at least, in pixels, with
 * its margins. */
export function place(node, name, content, height) {
    content.style.minHeight = `${height - 2 * MARGIN}px`
    const none = { getValue: () => "", setValue() {} }
    const options = { serialize: false, hideOnZoom: false, getMinHeight: () => height, ...none }
    const widget = node.addDOMWidget(name, name, content, options)
    widget.serialize = false
    return widget
}

export function seconds(value) {
    const whole = Math.max(0, Math.round(value))
    const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
    const two = (n) => String(n).padStart(2, "0")
    return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}

/** 1:02:03.4 */
export function timecode(value) {
    const tenths = Math.max(0, Math.round(10 * value))
    return `${seconds(Math.floor(tenths / 10))}.${tenths % 10}`
}

/** Roughly, as people say it: 40 s, 12 min, 2 h 05 min. */
export function duration(value) {
    const minutes = Math.round(value / 60)
    if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`
    return value >= 90 ? `${minutes} min` : `${Math.max(1, Math.round(value))} s`
}
