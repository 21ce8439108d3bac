// The pack's graphs in the template browser: those in the page's language, in the order in which people need them;
// ComfyUI lists all of them, as the disk does (scripts/graph_words.py).
import { api } from "../../scripts/api.js"
import { inChinese } from "./words.js"

const FIRST = ["(no", "(Wan", "(MiniMax", "from", "(one", "("].map((which) => `Remove subtitles ${which}`)
const REST = ["Remove with", "Remove", "Clean", "Show", "Make", "Train a LoRA from clean", "Train a LoRA", "Train"]
const ENGLISH = [...FIRST, ...REST]
const CHINESE = [
    "去除字幕（无", "去除字幕（Wan", "去除字幕（Mini", "去除整", "去除字幕（单", "去除字幕（", "按", "用文字", "去除字幕后", "查看",
    "制作", "用无", "用这", "训练",
]
const PACK = decodeURIComponent(new URL(import.meta.url).pathname.split("/extensions/")[1]?.split("/")[0] ?? "")

const rank = (name, order) => order.findIndex((begin) => name.startsWith(begin))
const listed = api.getWorkflowTemplates?.bind(api)
if (listed)
    api.getWorkflowTemplates = async (...asked) => {
        const packs = await listed(...asked)
        const order = inChinese() ? CHINESE : ENGLISH
        if (Array.isArray(packs?.[PACK]))
            packs[PACK] = packs[PACK].filter((name) => rank(name, order) >= 0)
                .sort((a, b) => rank(a, order) - rank(b, order) || a.localeCompare(b))
        return packs
    }
