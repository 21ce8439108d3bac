// What a removal found and what it left, as a list by time; a click shows the frame (nodes/comfy/removal.py tells it).
import { element, allNodes, filled, say, timecode, told } from "./words.js"

const COLOURS = { removed: "#7fb2e8", doubt: "#d9a441", left: "#999", still: "#ff8a80" }
const SIDE = 768

/** The list of one node. show(line): called with the line that was clicked. */
export class Found {
    constructor(show) {
        this.show = show
        this.root = element("div", {
            className: "clear-found",
            style: { display: "none", overflowY: "auto", flex: "1 1 0", minHeight: "56px", userSelect: "text" },
        })
        this.root.dataset.captureWheel = "true"
        this.root.tabIndex = 0
        for (const kind of ["wheel", "pointerdown"]) {
            this.root.addEventListener(kind, (event) => event.stopPropagation())
        }
    }

    /** found: as the node told it; null hides the list. fps: of the film, where the node knew no times. */
    tell(found, fps) {
        this.found = found
        this.root.style.display = found ? "" : "none"
        this.root.replaceChildren(...(found ? this.lines(fps).map((line) => this.row(line)) : []))
    }

    lines(fps) {
        const gone = (why) => (why === "subtitle" ? say("removed") : `${say("removed")}${say(": ")}${told(why)}`)
        const { lines, left } = this.found
        const all = [
            ...left.map((one) => ({ ...one, kind: "still", words: say("can still be read") })),
            ...lines.map((one) => ({
                ...one,
                kind: !one.goes ? "left" : one.certain ? "removed" : "doubt",
                words: one.goes ? gone(one.why) : `${say("stays")}${say(": ")}${told(one.why)}`,
            })),
        ]
        for (const one of all) {
            if (one.from == null && fps) [one.from, one.to] = [one.first / fps, one.stop / fps]
            one.when = one.from == null
                ? `${say("frame")} ${one.first}–${one.stop - 1}`
                : `${timecode(one.from)}–${timecode(one.to)}`
        }
        return all.sort((a, b) => a.first - b.first)
    }

    row(line) {
        const row = element(
            "div",
            {
                className: `clear-found-${line.kind}`, title: say("show this frame"), tabIndex: 0,
                style: { display: "flex", gap: "6px", cursor: "pointer", padding: "1px 2px", borderRadius: "3px" },
            },
            element("span", { textContent: line.when, style: { flex: "none", fontVariantNumeric: "tabular-nums" } }),
            element("span", { textContent: line.words, style: { color: COLOURS[line.kind] } }),
        )
        const chosen = () => {
            for (const one of this.root.children) one.style.background = one === row ? "#fff2" : ""
            this.show(line)
        }
        row.addEventListener("click", chosen)
        row.addEventListener("keydown", (event) => event.key === "Enter" && chosen())
        return row
    }
}

/** What was found in one line of words. */
export function summary(found) {
    const left = found.left.length ? [filled("{} can still be read", found.left.length)] : []
    const { lines, marked } = found
    if (marked != null) // no lines were looked for
        return [marked ? filled("replaced in {} frames", marked) : say("Nothing was replaced"), ...left].join(" · ")
    if (!lines.length && !left.length) return say("No subtitle was found")
    const gone = lines.filter((one) => one.goes).length
    return [filled("{} removed", gone), filled("{} kept", lines.length - gone), ...left].join(" · ")
}

const comesFrom = (source, node) => source && (source === node || source.subgraph === node.graph)

/** Sliders whose pictures come from this node. */
export function* slidersOf(node) {
    for (const [, one] of allNodes()) {
        const from = (input, slot) => input.link != null && comesFrom(one.getInputNode?.(slot), node)
        if (one.clearCompare?.told && one.inputs?.some(from)) yield one.clearCompare
    }
}

/** A frame before and after on the panel's picture: a press shows the one before, as long as it is held. */
export class Still {
    constructor(picture) {
        this.picture = picture
        const show = (which) => () => this.addresses && this.load(which)
        picture.addEventListener("pointerdown", (event) => {
            if (!this.addresses) return
            event.stopPropagation()
            show("before")()
            window.addEventListener("pointerup", show("after"), { once: true, capture: true })
        })
    }

    /** addresses: {before, after}; after may be missing. */
    open(addresses) {
        this.addresses = addresses
        this.picture.style.display = ""
        this.picture.title = addresses.after ? say("hold to see it before") : ""
        this.load("after")
    }

    load(which) {
        this.picture.src = this.addresses[which] ?? this.addresses.before
    }

    close() {
        this.addresses = null
        this.picture.title = ""
    }
}

export { SIDE }
