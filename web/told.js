// What the pack says through ComfyUI's own places: a report on Preview as Text, line by line; on a Chinese page in
// Chinese, and so are the error that ComfyUI shows and what can be chosen in its nodes. What goes on to other nodes and
// into workflows stays as it is.
import { app } from "../../scripts/app.js"
import { api } from "../../scripts/api.js"
import { allNodes, choice, inChinese, told } from "./words.js"

const isOurs = (node) => Boolean(node?.comfyClass?.startsWith("CLEAR_") || node?.subgraph?.nodes?.some(isOurs))

/** A report for a page that shows text as Markdown, where a single new line would be none. */
const lineByLine = (text) => told(text).replace(/ *\n/g, "  \n")

// listens before the page's own, which come after all scripts were loaded, and hands on what they show
api.addEventListener("execution_error", ({ detail }) => {
    if (String(detail.exception_type).includes(".clear_runtime."))
        detail.exception_message = told(detail.exception_message.trim())
})

app.registerExtension({
    name: "CLEAR.told",
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
