// What the pack says through ComfyUI's own places: a report on Preview as Text, line by line, or that there is none; on
// a Chinese page in Chinese, and so are the error that ComfyUI shows and what can be chosen in its nodes. What goes on
// to other nodes and into workflows stays as it is.
import { app } from "../../scripts/app.js"
import { api } from "../../scripts/api.js"
import { allNodes, choice, filled, inChinese, nodeOf, told } from "./words.js"

const isOurs = (node) => Boolean(node?.comfyClass?.startsWith("CLEAR_") || node?.subgraph?.nodes?.some(isOurs))

/** A report for a page that shows text as Markdown, where a single new line would be none. */
const lineByLine = (text) => told(text).replace(/ *\n/g, "  \n")

// listens before the page's own, which come after all scripts were loaded, and hands on what they show
api.addEventListener("execution_error", ({ detail }) => {
    if (String(detail.exception_type).includes(".clear_runtime."))
        detail.exception_message = told(detail.exception_message.trim())
})

/** Of a node that is bypassed, the page hands on what comes into it at the same place as the report goes out, such as a
 * VAE, which would be shown as an object's name; of a muted one nothing, and Preview as Text would be refused. */
function tellOfNothing(prompt) {
    for (const [id, node] of allNodes()) {
        const from = node.comfyClass === "PreviewAny" && prompt[id] ? node.getInputNode?.(0) : null
        if (!isOurs(from)) continue
        const [sender, place] = prompt[id].inputs.source ?? []
        const linked = from.outputs[node.getInputLink(0).origin_slot].type
        if (nodeOf(sender)?.outputs[place].type !== linked)
            prompt[id].inputs.source = filled("Nothing to tell: {} is bypassed or muted.", from.title)
    }
}

app.registerExtension({
    name: "CLEAR.told",
    setup() {
        const before = app.graphToPrompt
        app.graphToPrompt = async function () {
            const made = await before.apply(this, arguments)
            tellOfNothing(made.output)
            return made
        }
    },
    nodeCreated(node) {
        if (inChinese() && isOurs(node))
            for (const { name, options } of node.widgets ?? [])
                if (Array.isArray(options?.values)) options.getOptionLabel ??= (value) => choice(name, value) ?? ""
        if (node.comfyClass !== "PreviewAny") return
        const before = node.onExecuted
        node.onExecuted = function (output) {
            const ours = output?.text && isOurs(this.getInputNode?.(0))
            before?.call(this, ours ? { ...output, text: [output.text].flat().map(lineByLine) } : output)
        }
    },
    /** A page that shows a workflow again fills Preview as Text past `onExecuted`. */
    onNodeOutputsUpdated(outputs) {
        for (const [id, node] of allNodes())
            if (node.comfyClass === "PreviewAny" && outputs[id]?.text) node.onExecuted?.(outputs[id])
    },
})
