// The pack's graphs in the template browser stand in the order in which people need them; ComfyUI lists them as the
// disk does.
import { api } from "../../scripts/api.js"

const FIRST = ["(no", "(Wan", "(MiniMax", "from", "(one", "("].map((which) => `Remove subtitles ${which}`)
const REST = ["Remove with", "Remove", "Clean", "Show", "Make", "Train a LoRA from clean", "Train a LoRA", "Train"]
const ORDER = [...FIRST, ...REST]
const PACK = new URL(import.meta.url).pathname.split("/extensions/")[1]?.split("/")[0]

const rank = (name) => ORDER.findIndex((begin) => name.startsWith(begin))
const listed = api.getWorkflowTemplates?.bind(api)
if (listed)
    api.getWorkflowTemplates = async (...asked) => {
        const packs = await listed(...asked)
        if (Array.isArray(packs?.[decodeURIComponent(PACK)]))
            packs[decodeURIComponent(PACK)].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b))
        return packs
    }
