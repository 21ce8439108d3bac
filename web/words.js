// What the pack's scripts say, in English and Chinese, and what they share.
import { app } from "../../scripts/app.js"

const CHINESE = {
    before: "去除前",
    after: "去除后",
    mask: "遮罩",
    "mask: off": "遮罩：关",
    "mask: on": "遮罩：叠加",
    "mask: only": "遮罩：单独",
    swap: "对调",
    "full screen": "全屏",
    "one frame back": "上一帧",
    "one frame on": "下一帧",
    play: "播放",
    pause: "暂停",
    "reset zoom": "还原缩放",
    "save the clean video": "保存去字幕后的视频",
    "most text": "文字最多",
    "least sure": "最不确定",
    frame: "帧",
    "Run, and the slider appears here": "运行后这里会出现对比滑块",
    "The video for the slider is gone (ComfyUI was restarted); run again": "滑块所用的视频已不在（ComfyUI 已重启），请重新运行",
    "Nothing has changed since it ran last": "自上次运行以来没有变化",
    "Not run yet": "尚未运行",
    left: "剩余",
    Done: "完成",
    "Stopped.": "已停止。",
    Failed: "失败",
    "Finding subtitles": "查找字幕",
    "Filling in": "填补",
    Encoding: "编码",
    Painting: "绘制",
    Decoding: "解码",
    "Writing the videos": "写入视频",
    "Burning lines": "烧录字幕",
    "Looking through the pairs": "检查成对视频",
    "Looking through the videos": "查看视频",
    "Getting the slider ready": "准备对比滑块",
    "Getting ready": "准备中",
    "Encoding clips": "编码片段",
    Training: "训练",
    "draw subtitle": "字幕",
    "draw limit": "限定",
    "draw protect": "保护",
    "draw subtitle: why": "画出字幕所在的位置",
    "draw limit: why": "只有这里面的像素才允许改动",
    "draw protect: why": "这里面的像素绝不改动",
    "rectangle or outline": "矩形或任意轮廓",
    rectangle: "矩形",
    outline: "轮廓",
    "take the last one back": "撤销上一个",
    "take all away": "全部清除",
    "another frame": "换一帧",
    "Connect a film, and draw on it": "连接视频后在画面上绘制",
    "Looking for text": "查找文字",
    Cleaning: "去除",
    Joining: "合并",
    frames: "帧",
    about: "约",
    "as the last run here": "按本机上次运行",
    "roughly; the first run here tells better": "粗略；在本机运行一次后更准",
    "time: the first run here tells": "时间：在本机运行一次后可知",
    "of memory beside the model's": "内存（不含模型）",
    stays: "保留",
    "show this frame": "显示这一帧",
    "hold to see it before": "按住可看去除前",
    "can still be read": "仍可辨认",
    kept: "保留",
    "No subtitle was found": "没有找到字幕",
    removed: "已去除",
    "removed: asked for": "已去除：按要求",
    "removed: stands all the time; taken for a subtitle by its place": "已去除：一直都在，按位置判断为字幕",
    "moves with the scene": "随画面移动",
    moves: "在移动",
    "stands in a corner": "在角落",
    "stands while the camera pauses": "镜头停住时才静止",
    "shows for less than 0.3 seconds": "出现不到 0.3 秒",
    "stands all the time, and other rows are the subtitle": "一直都在，其他行才是字幕",
    "stands all the time; taken for lettering by its place": "一直都在，按位置判断为画面文字",
}

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

/** A text in the page's language, where there is one. */
export function say(text) {
    return (inChinese() && CHINESE[text]) || ENGLISH[text] || text
}

const COUNTED = { frame: "帧", step: "步", clip: "个片段" }

/** What the server says in whole sentences, in the page's language: "frame 12 of 49", "Done: NAME". */
export function told(text) {
    if (!inChinese() || !text) return text
    const [, what, number, , total] = /^(\w+) (\d+)( of (\d+))?$/.exec(text) ?? []
    if (what in COUNTED) return `第 ${number}${total ? ` / ${total}` : ""} ${COUNTED[what]}`
    const [, place] = /^Stopped at (.+), kept; Run goes on\.$/.exec(text) ?? []
    if (place) return `已停在${told(place)}，已保留；再点“运行”会接着做。`
    return say(text.replace(/^Done: /, "完成："))
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

/** Put an element on a node, below its inputs. It keeps nothing in saved workflows. height: at least, in pixels. */
export function place(node, name, content, height) {
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
