// Which film a node will work on, and what the server says of it before it runs (nodes/comfy/film_facts.py).
import { api } from "../../scripts/api.js"
import { allNodes, duration, say, seconds, told } from "./words.js"

const FILE_WIDGETS = ["file", "video"]
const LOOK_AGAIN = 1000 // milliseconds
const FAR = 30 // nodes between a film and what removes
const EDGE = -10 // what the inputs of a subgraph count as inside of it; newer pages keep it as text

/** What is linked to an input: the node, through the edge of a subgraph too. */
function behind(node, slot) {
    const link = node.inputs?.[slot]?.link
    if (link == null) return null
    const known = node.graph?.getLink?.(link) ?? node.graph?.links?.[link]
    if (!known) return null
    if (Number(known.origin_id) !== EDGE) return node.graph.getNodeById(known.origin_id)
    const outer = [...allNodes()].map(([, one]) => one).find((one) => one.subgraph === node.graph)
    return outer ? behind(outer, known.origin_slot) : null
}

function inputOf(node, ...types) {
    return node.inputs?.findIndex((one) => one.link != null && types.includes(one.type)) ?? -1
}

/** The file that a loader before this node names, "sub/film.mp4"; null where none is found. */
export function filmOf(node) {
    let at = node
    for (let step = 0; at && step < FAR; step++) {
        const slot = inputOf(at, "VIDEO", "IMAGE", "*")
        at = slot < 0 ? null : behind(at, slot)
        if (at?.comfyClass?.startsWith("CLEAR_")) continue // Burn Subtitles names a file of lines
        const named = at?.widgets?.find((one) => FILE_WIDGETS.includes(one.name) && typeof one.value === "string")
        if (named?.value) return named.value
    }
    return null
}

/** What paints: "" for the fill alone, "nano", or "model". */
function painter(node) {
    if (valueOf(node, "output") === "preview") return ""
    let at = node
    for (let step = 0; at && step < FAR; step++) {
        const slot = inputOf(at, "MODEL")
        if (slot < 0) break
        at = behind(at, slot)
    }
    return at?.comfyClass === "CLEAR_LoadNano" ? "nano" : at === node ? "" : "model"
}

export function valueOf(node, name) {
    return node.widgets?.find((one) => one.name === name)?.value
}

/** The frame of a file that is shown at a time, as an address. file: as a widget names it, or as ComfyUI names
 * results. */
export function frameAddress(file, at, side) {
    const within = file.subfolder ? `${file.subfolder}/` : ""
    const name = typeof file === "string" ? file : `${within}${file.filename} [${file.type}]`
    return api.apiURL(`/clear/frame?${new URLSearchParams({ file: name, at: String(at), side: String(side) })}`)
}

function memory(bytes) {
    return `${Math.max(0.1, bytes / 1e9).toFixed(1)} GB`
}

/** Facts of a film as two short lines, and what of it a node of frames loses. */
export function planText(facts) {
    if (facts.failed) return told(facts.failed)
    const length = facts.length == null ? "" : seconds(facts.length)
    const frames = facts.frames == null ? "" : `${facts.frames} ${say("frames")}`
    const rate = `${Number(facts.fps.toFixed(3))} fps`
    const first = [length, frames, facts.size.join("×"), rate].filter(Boolean).join(" · ")
    const how = facts.as_before ? say("as the last run here") : say("roughly; the first run here tells better")
    const known = facts.seconds != null
    const time = known ? `${say("about")} ${duration(facts.seconds)} (${how})` : say("time: the first run here tells")
    const takes = `${time} · ${memory(facts.memory)} ${say("of memory beside the model's")}`
    return [first, takes, ...(facts.loses ?? []).map(told)].join("\n")
}

/** Keeps a node's facts up to date: whatever was changed in the graph, they are asked for again when they may differ.
 * show: called with the facts, or with null where no film is known. */
export function watchFilm(node, show) {
    let last
    const look = async () => {
        if (!node.graph || document.hidden) return
        const file = filmOf(node)
        const asked = file && new URLSearchParams({
            file, node: node.comfyClass, model: painter(node), steps: valueOf(node, "steps") ?? 1,
            window: valueOf(node, "window") ?? 81, overlap: valueOf(node, "overlap") ?? 16,
        }).toString()
        if (asked === last) return
        last = asked
        const answer = asked ? await api.fetchApi(`/clear/film?${asked}`) : null
        if (asked === last) show(answer?.ok ? { file, ...(await answer.json()) } : null)
    }
    const timer = setInterval(look, LOOK_AGAIN)
    const before = node.onRemoved
    node.onRemoved = function () {
        clearInterval(timer)
        before?.apply(this, arguments)
    }
    return { again: () => (last = undefined) }
}
