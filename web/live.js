// How far a long node is, on the node: stage, bar, time left and the newest picture. The server keeps it, so that it is
// there again after the page was reloaded (nodes/comfy/live.py).
import { app } from "../../scripts/app.js"
import { api } from "../../scripts/api.js"
import { frameAddress, planText, watchFilm } from "./film.js"
import { Found, SIDE, Still, slidersOf, summary } from "./found.js"
import { fromHistory } from "./history.js"
import { allNodes, element, filled, nodeOf, place, say, seconds, told, workflowId } from "./words.js"

const PANELS = {
    // node -> pixels for its panel
    CLEAR_SubtitleRemove: 230,
    CLEAR_SubtitleRemoveVideo: 230,
    CLEAR_Composite: 230,
    CLEAR_PriorMask: 190,
    CLEAR_BurnSubtitles: 190,
    CLEAR_TrainPrior: 420,
    CLEAR_TrainLoRA: 420,
    CLEAR_LoadPairs: 46,
}
const REMOVERS = ["CLEAR_SubtitleRemove", "CLEAR_SubtitleRemoveVideo"]
const LISTING = [...REMOVERS, "CLEAR_Composite"] // what was found
const COLOURS = { "": "#4a90d9", done: "#4b9b5f", stopped: "#c9a13b", failed: "#c0504d" }

class Panel {
    constructor(node, height) {
        this.node = node
        this.plan = element("div", {
            style: { whiteSpace: "pre-wrap", overflowWrap: "anywhere", display: "none", color: "#aaa" },
        })
        this.text = element("div", { style: { whiteSpace: "pre-wrap", overflowWrap: "anywhere" } })
        this.fill = element("div", { style: { height: "100%", width: "0%", borderRadius: "3px" } })
        const groove = { height: "5px", flex: "none", borderRadius: "3px", background: "#0006" }
        this.bar = element("div", { style: groove }, this.fill)
        this.picture = element("img", {
            draggable: false,
            style: { flex: "1 1 0", minHeight: "0", width: "100%", objectFit: "contain", display: "none" },
        })
        this.root = element(
            "div",
            {
                className: "clear-live",
                style: {
                    display: "flex", flexDirection: "column", gap: "4px", boxSizing: "border-box", padding: "4px 6px",
                    height: "100%", width: "100%", overflow: "hidden", font: "12px/1.35 sans-serif", color: "#ccc",
                    borderRadius: "6px", background: "#282828",
                },
            },
            this.plan, this.text, this.bar, this.picture,
        )
        if (LISTING.includes(node.comfyClass)) this.listing()
        place(node, "clear_live", this.root, height)
        this.idle()
    }

    /** Of a node that finds: what was, after it ran; where it removes too, the film's facts before that. */
    listing() {
        const plans = REMOVERS.includes(this.node.comfyClass)
        this.still = new Still(this.picture)
        this.found = new Found((line) => this.go(line))
        this.root.append(this.found.root)
        this.film = watchFilm(this.node, (facts) => {
            this.facts = facts
            const said = facts && (plans || facts.failed) // how long another model took, nobody here knows
            this.plan.textContent = said ? planText(facts) : ""
            this.plan.style.display = said ? "" : "none"
            this.plan.style.color = facts?.failed ? "#ff8a80" : "#aaa"
            if (this.state && this.isOfAnother(this.state) !== this.another) this.show(this.state)
            else if (this.found.found) this.found.tell(this.found.found, facts?.fps)
        })
    }

    /** Show a line's frame: on the sliders behind the node, and on its own picture where the film is known. */
    go({ first, stop, from, to }) {
        for (const slider of slidersOf(this.node)) slider.go(Math.floor((first + stop - 1) / 2))
        const file = this.facts?.file ?? this.state?.film // right after a reload the facts are on their way
        if (!file || from == null) return
        const at = (from + to) / 2
        const result = this.found.found.result
        this.still.open({ before: frameAddress(file, at, SIDE), after: result ? frameAddress(result, at, SIDE) : null })
    }

    /** Whether another film was chosen since: then what was found is not of the one whose facts stand above it. */
    isOfAnother({ ended, film }) {
        return Boolean(ended && film && this.facts?.file && this.facts.file !== film)
    }

    idle() {
        this.state = null
        this.found?.tell(null)
        this.still?.close()
        this.text.textContent = this.passing ? "" : say("Not run yet")
        this.text.style.color = "#ccc"
        this.told = false
        this.bar.style.visibility = "hidden"
        this.picture.style.display = "none"
        this.shown = 0
    }

    show(state) {
        this.another = this.isOfAnother(state)
        if (this.another) {
            this.idle()
            this.text.textContent = filled("Not run yet; the last run was of {}", state.film)
        }
        this.state = state
        this.told = true
        if (this.another) return
        this.text.textContent = state.ended === "done" && state.found ? summary(state.found) : words(state)
        if (state.note && !state.ended) this.text.textContent += `\n${told(state.note)}`
        this.found?.tell(state.found, this.facts?.fps)
        if (!state.ended) this.still?.close()
        else if (state.ended === "done") this.film?.again()
        this.text.style.color = state.ended === "failed" ? "#ff8a80" : "#ccc"
        this.bar.style.visibility = "visible"
        const share = state.ended === "done" ? 1 : state.total ? Math.min(1, state.done / state.total) : 0
        this.fill.style.width = `${100 * share}%`
        this.fill.style.background = COLOURS[state.ended]
        if (state.picture !== this.shown) {
            this.shown = state.picture
            this.picture.style.display = state.picture ? "" : "none"
            if (state.picture) this.picture.src = api.apiURL(`/clear/live/picture/${state.picture}`)
        }
    }
}

/** A state in a line or two. */
export function words(state) {
    if (state.ended === "done") return told(state.text) || say("Done")
    if (state.ended === "stopped") return told(state.text || "Stopped.")
    if (state.ended === "failed") return told(state.text) || say("Failed")
    const percent = state.total ? `${Math.floor((100 * state.done) / state.total)} %` : ""
    const left = state.left == null ? "" : filled("{} left", seconds(state.left))
    return [told(state.stage), told(state.detail), percent, left].filter(Boolean).join(" · ")
}

/** The state of a run of which only its output is known. */
function finished(found) {
    return { ended: "done", found, film: found.film, picture: 0 }
}

function panelOf(node) {
    if (!node.clearLive && node.addDOMWidget) {
        node.clearLive = new Panel(node, 60)
        node.clearLive.passing = true // of a node that is never long: it says nothing before something went wrong
    }
    return node.clearLive
}

function take(state) {
    if (state.workflow !== workflowId()) return
    const node = nodeOf(state.node)
    if (node?.comfyClass?.startsWith("CLEAR_")) panelOf(node)?.show(state)
}

async function restore() {
    const workflow = workflowId()
    const answer = await api.fetchApi(`/clear/live?workflow=${encodeURIComponent(workflow ?? "")}`)
    if (answer.ok && workflow === workflowId()) for (const state of await answer.json()) take(state)
    // of what came from the cache nothing was told but the output
    const waiting = [...allNodes()].filter(([, node]) => node.clearLive?.found && !node.clearLive.told)
    const show = (node, found) => node.clearLive.told || node.clearLive.show(finished(found))
    await fromHistory(waiting, "clear_found", show)
}

/** A sentence in a toast, unless the page itself shows it by then. */
function toast(summary, text) {
    const shown = () => [...document.querySelectorAll("[role=dialog]")].some((one) => one.textContent.includes(text))
    setTimeout(() => {
        if (!shown()) app.extensionManager?.toast?.add({ severity: "error", summary, detail: text, life: 20000 })
    }, 600)
}

/** An error whose sentence says what to do: on the node, and where the page itself shows no text of it, in a toast.
 * Where another node failed, and it is known that the film cannot be read, why that is. */
function refused(detail) {
    const node = nodeOf(detail.node_id)
    const summary = node?.title ?? detail.node_type
    if (String(detail.exception_type).includes(".clear_runtime.")) {
        const text = detail.exception_message.trim()
        if (node) panelOf(node)?.show({ ended: "failed", text, picture: 0, done: 0, total: 0 })
        return toast(summary, told(text))
    }
    const failed = [...allNodes()].map(([, one]) => one.clearLive?.facts?.failed).find(Boolean)
    if (failed) toast(summary, told(failed))
}

app.registerExtension({
    name: "CLEAR.live",
    nodeCreated(node) {
        const height = PANELS[node.comfyClass]
        if (!height) return
        node.clearLive = new Panel(node, height)
        const before = node.onExecuted
        node.onExecuted = function (output) {
            before?.call(this, output)
            const found = output?.clear_found?.[0] // from the cache nothing else is told
            if (found) this.clearLive.show({ ...finished(found), picture: this.clearLive.shown })
        }
    },
    setup() {
        api.addEventListener("clear.live", ({ detail }) => take(detail))
        api.addEventListener("execution_error", ({ detail }) => refused(detail))
        api.addEventListener("execution_cached", ({ detail }) => {
            for (const panel of (detail.nodes ?? []).map((id) => nodeOf(id)?.clearLive))
                if (panel?.found && !panel.told) panel.text.textContent = say("Nothing has changed since it ran last")
        })
        api.addEventListener("execution_start", () => {
            for (const [, node] of allNodes()) if (node.clearLive?.passing) node.clearLive.idle()
        })
        restore()
    },
    afterConfigureGraph() {
        for (const [, node] of allNodes()) node.clearLive?.idle?.()
        restore()
    },
})
