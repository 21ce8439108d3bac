// Before / After: a slider over the layers of one video, which stand below one another in each of its frames
// (clear_runtime/media/layers.py).
import { app } from "../../scripts/app.js"
import { api } from "../../scripts/api.js"
import { fromHistory } from "./history.js"
import { allNodes, button, element, nodeOf, place, say, seconds } from "./words.js"
import { words } from "./live.js"

const HEIGHT = 300
const MASKS = ["off", "on", "only"]
const MOST_ZOOM = 16

class Compare {
    constructor(node) {
        this.divider = 0.5
        this.swapped = false
        this.mask = 0
        this.view = { zoom: 1, x: 0, y: 0 }
        this.frame = 0
        this.build()
        place(node, "clear_compare", this.root, HEIGHT)
        new ResizeObserver(() => this.draw()).observe(this.canvas)
        this.bind()
        this.idle()
    }

    build() {
        this.canvas = element("canvas", {
            style: { width: "100%", height: "100%", display: "block", touchAction: "none", background: "#111" },
        })
        const label = (side) =>
            element("span", {
                style: {
                    position: "absolute", top: "6px", [side]: "6px", padding: "1px 6px", borderRadius: "4px",
                    background: "#000a", color: "#fff", pointerEvents: "none",
                },
            })
        this.left = label("left")
        this.right = label("right")
        this.hint = element("div", {
            style: {
                position: "absolute", inset: "0", display: "flex", alignItems: "center", justifyContent: "center",
                color: "#999", padding: "12px", textAlign: "center",
            },
        })
        this.stage = element(
            "div",
            { style: { position: "relative", flex: "1 1 0", minHeight: "0", overflow: "hidden", userSelect: "none" } },
            this.canvas, this.left, this.right, this.hint,
        )
        const unseen = { display: "none" }
        this.video = element("video", { muted: true, loop: true, playsInline: true, preload: "auto", style: unseen })
        this.stage.append(this.video)
        const wide = { width: "100%", margin: "0" }
        this.time = element("input", { type: "range", min: 0, max: 0, step: 1, value: 0, style: wide })
        this.marks = element("canvas", { height: 5, style: { width: "100%", height: "5px", display: "block" } })
        this.playButton = button("▶", "play", () => this.play())
        this.maskButton = button("", "mask", () => this.nextMask())
        this.number = element("span", { style: { flex: "none", minWidth: "104px" } })
        this.spots = element("span", { style: { display: "flex", gap: "3px" } })
        const plain = { color: "#ddd", textDecoration: "none", padding: "1px 5px" }
        this.save = element("a", { textContent: "⤓", title: say("save the clean video"), style: plain })
        this.tools = element(
            "div",
            { style: { display: "flex", flexWrap: "wrap", gap: "3px", alignItems: "center", flex: "none" } },
            button("◀", "one frame back", () => this.step(-1)),
            this.playButton,
            button("▶|", "one frame on", () => this.step(1)),
            this.number,
            button("⇄", "swap", () => this.swap()),
            this.maskButton,
            button("1:1", "reset zoom", () => this.resetView()),
            button("⛶", "full screen", () => this.fullScreen()),
            this.save,
            this.spots,
        )
        this.root = element(
            "div",
            {
                className: "clear-compare", tabIndex: 0,
                style: {
                    display: "flex", flexDirection: "column", gap: "3px", boxSizing: "border-box",
                    width: "100%", height: "100%", font: "12px sans-serif",
                    color: "#ccc", outline: "none", background: "#1c1c1c",
                    borderRadius: "6px", padding: "4px",
                },
            },
            this.stage, this.marks, this.time, this.tools,
        )
    }

    bind() {
        const stage = this.stage
        // what the graph would take for its own: dragging, zooming, and keys
        for (const kind of ["pointerdown", "wheel", "contextmenu", "keydown", "dblclick"])
            this.root.addEventListener(kind, (event) => event.stopPropagation())
        // the Vue renderer leaves the wheel to what is marked so, and has the focus
        this.root.dataset.captureWheel = "true"
        stage.addEventListener("pointerenter", () => {
            const typing = document.activeElement?.matches("input, textarea, [contenteditable]")
            if (!typing) this.root.focus({ preventScroll: true })
        })
        stage.addEventListener("pointerdown", (event) => this.grab(event))
        stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false })
        stage.addEventListener("dblclick", () => this.resetView())
        this.root.addEventListener("keydown", (event) => this.key(event))
        this.time.addEventListener("input", () => this.go(Number(this.time.value)))
        this.video.addEventListener("loadeddata", () => this.go(this.frame))
        this.video.addEventListener("seeked", () => this.arrived())
        this.video.addEventListener("play", () => this.playing())
        this.video.addEventListener("pause", () => this.playing())
        this.video.addEventListener("error", () => {
            if (this.told) this.idle(say("The video for the slider is gone (ComfyUI was restarted); run again"))
        })
        const again = () => {
            if (this.video.paused) return
            this.arrived()
            this.video.requestVideoFrameCallback?.(again) ?? requestAnimationFrame(again)
        }
        this.video.addEventListener("play", again)
    }

    idle(text = say("Run, and the slider appears here")) {
        this.told = null
        this.hint.textContent = text
        this.hint.style.display = "flex"
        for (const one of [this.left, this.right, this.tools, this.marks, this.time]) one.style.visibility = "hidden"
        this.draw()
    }

    /** How far the node is. What it left comes by itself to the page that ran it; another page has to ask for it. */
    hear(state) {
        if (state.ended !== "done") this.idle(words(state))
        this.due = state.ended === "done"
    }

    /** What the node left (nodes/comfy/results.py). */
    open(told) {
        this.told = told
        this.due = false
        this.newest = told.layers.filename
        this.hint.style.display = "none"
        for (const one of [this.left, this.right, this.tools, this.marks, this.time]) one.style.visibility = "visible"
        this.time.max = told.frames - 1
        this.spots.replaceChildren(
            ...told.spots.map(({ name, frame }) => {
                const one = button(say(name), name, () => this.go(frame))
                one.title = `${say("frame")} ${frame}`
                return one
            }),
        )
        this.save.style.display = told.clean ? "" : "none"
        if (told.clean) Object.assign(this.save, { href: address(told.clean), download: told.clean.filename })
        this.frame = told.spots[0]?.frame ?? 0
        this.video.src = address(told.layers)
        this.showMarks()
        this.showState()
    }

    // ---- what is shown -------------------------------------------------------------------------------------------

    go(frame) {
        if (!this.told) return
        this.video.pause()
        this.frame = Math.max(0, Math.min(this.told.frames - 1, frame))
        this.video.currentTime = (this.frame + 0.5) / this.told.fps
        this.showState()
    }

    step(by) {
        this.go(this.frame + by)
    }

    arrived() {
        if (!this.told) return
        const at = Math.floor(this.video.currentTime * this.told.fps + 1e-6)
        if (!this.video.paused) this.frame = Math.max(0, Math.min(this.told.frames - 1, at))
        this.showState()
        this.draw()
    }

    play() {
        if (this.video.paused) this.video.play()
        else this.go(this.frame)
    }

    playing() {
        this.playButton.textContent = this.video.paused ? "▶" : "❚❚"
        this.playButton.title = say(this.video.paused ? "play" : "pause")
    }

    swap() {
        this.swapped = !this.swapped
        this.showState()
        this.draw()
    }

    nextMask() {
        this.mask = (this.mask + 1) % MASKS.length
        this.showState()
        this.draw()
    }

    resetView() {
        this.view = { zoom: 1, x: 0, y: 0 }
        this.draw()
    }

    fullScreen() {
        if (document.fullscreenElement) document.exitFullscreen()
        else this.root.requestFullscreen?.()
    }

    showState() {
        const { told, frame } = this
        if (!told) return
        this.time.value = frame
        this.number.textContent = `${say("frame")} ${frame} / ${told.frames - 1} · ${seconds(frame / told.fps)}`
        const names = this.swapped ? ["after", "before"] : ["before", "after"]
        const only = MASKS[this.mask] === "only"
        this.left.textContent = say(only ? "mask" : names[0])
        this.right.textContent = say(names[1])
        this.right.style.display = only ? "none" : ""
        this.maskButton.textContent = say(`mask: ${MASKS[this.mask]}`)
    }

    /** Where lines were found, over time: removed ones bright, and the less sure the redder; left ones grey. */
    showMarks() {
        const { told, marks } = this
        marks.width = Math.max(told.frames, 400)
        const scale = marks.width / told.frames
        const pen = marks.getContext("2d")
        for (const one of told.spans) {
            pen.fillStyle = one.goes ? `hsl(${Math.round(210 * one.sure)} 80% 60%)` : "#888"
            const long = Math.max(1, (one.stop - one.first) * scale)
            pen.fillRect(one.first * scale, one.goes ? 0 : 3, long, one.goes ? 5 : 2)
        }
    }

    /** Where the picture lies on the canvas, in its pixels. */
    frameBox() {
        const { canvas, told, view } = this
        const fit = Math.min(canvas.width / told.size[0], canvas.height / told.size[1]) * view.zoom
        const [width, height] = [told.size[0] * fit, told.size[1] * fit]
        const dense = canvas.width / Math.max(1, canvas.clientWidth)
        const [left, top] = [(canvas.width - width) / 2, (canvas.height - height) / 2]
        return [left + view.x * dense, top + view.y * dense, width, height]
    }

    draw() {
        const { canvas, video, told } = this
        if (told && video.readyState < video.HAVE_CURRENT_DATA) return // it would be black until the frame is there
        const dense = (window.devicePixelRatio || 1) * Math.min(2, Math.max(1, app.canvas?.ds?.scale ?? 1))
        canvas.width = Math.max(1, Math.round(canvas.clientWidth * dense))
        canvas.height = Math.max(1, Math.round(canvas.clientHeight * dense))
        if (!told) return
        const pen = canvas.getContext("2d")
        const box = this.frameBox()
        const high = video.videoHeight / told.names.length
        const layer = (name, target = pen) => {
            const top = told.names.indexOf(name) * high
            target.imageSmoothingEnabled = this.view.zoom < 4
            target.drawImage(video, 0, top, video.videoWidth, high, ...box)
        }
        if (MASKS[this.mask] === "only") return layer("mask")
        const [left, right] = this.swapped ? ["after", "before"] : ["before", "after"]
        const at = this.divider * canvas.width
        layer(right)
        pen.save()
        pen.beginPath()
        pen.rect(0, 0, at, canvas.height)
        pen.clip()
        layer(left)
        pen.restore()
        if (MASKS[this.mask] === "on") this.tint(pen, layer)
        pen.fillStyle = "#fff"
        pen.fillRect(at - dense, 0, 2 * dense, canvas.height)
        pen.beginPath()
        pen.arc(at, canvas.height / 2, 7 * dense, 0, 7)
        pen.fill()
    }

    tint(pen, layer) {
        const sheet = element("canvas", { width: this.canvas.width, height: this.canvas.height })
        const ink = sheet.getContext("2d")
        layer("mask", ink)
        ink.globalCompositeOperation = "multiply"
        ink.fillStyle = "#ff2d55"
        ink.fillRect(...this.frameBox())
        pen.globalCompositeOperation = "screen"
        pen.drawImage(sheet, 0, 0)
        pen.globalCompositeOperation = "source-over"
    }

    // ---- hand and keys -------------------------------------------------------------------------------------------

    /** Drag moves the divider; with Shift, with the middle button, or far from the divider when zoomed in, the
     * picture. */
    grab(event) {
        if (!this.told) return
        event.preventDefault()
        this.root.focus({ preventScroll: true })
        const place = this.stage.getBoundingClientRect()
        const scale = place.width / Math.max(1, this.stage.clientWidth) // the graph's zoom
        const pan = event.shiftKey || event.button === 1
        let last = [event.clientX, event.clientY]
        const move = (now) => {
            if (pan) {
                this.view.x += (now.clientX - last[0]) / scale
                this.view.y += (now.clientY - last[1]) / scale
                last = [now.clientX, now.clientY]
            } else this.divider = Math.max(0, Math.min(1, (now.clientX - place.left) / place.width))
            this.draw()
        }
        const end = () => {
            window.removeEventListener("pointermove", move, true)
            window.removeEventListener("pointerup", end, true)
        }
        window.addEventListener("pointermove", move, true)
        window.addEventListener("pointerup", end, true)
        if (!pan) move(event)
    }

    wheel(event) {
        if (!this.told) return
        event.preventDefault()
        const place = this.stage.getBoundingClientRect()
        const scale = place.width / Math.max(1, this.stage.clientWidth)
        const [x, y] = [
            (event.clientX - place.left - place.width / 2) / scale,
            (event.clientY - place.top - place.height / 2) / scale,
        ]
        const { view } = this
        const zoom = Math.max(1, Math.min(MOST_ZOOM, view.zoom * Math.exp(-event.deltaY / 400)))
        view.x = zoom === 1 ? 0 : x - ((x - view.x) * zoom) / view.zoom
        view.y = zoom === 1 ? 0 : y - ((y - view.y) * zoom) / view.zoom
        view.zoom = zoom
        this.draw()
    }

    key(event) {
        const run = {
            ArrowLeft: () => this.step(event.shiftKey ? -10 : -1),
            ArrowRight: () => this.step(event.shiftKey ? 10 : 1),
            " ": () => this.play(),
            s: () => this.swap(),
            m: () => this.nextMask(),
            f: () => this.fullScreen(),
            0: () => this.resetView(),
        }[event.key]
        if (!run || event.ctrlKey || event.metaKey) return
        event.preventDefault()
        run()
    }
}

function address({ filename, subfolder, type }) {
    return api.apiURL(`/view?${new URLSearchParams({ filename, subfolder: subfolder ?? "", type })}`)
}

async function restore() {
    const lacks = ({ clearCompare: one }) => one && (one.due || !one.told)
    const waiting = [...allNodes()].filter(([, node]) => lacks(node))
    await fromHistory(waiting, "clear_compare", ({ clearCompare: one }, told) => {
        if ((one.due || !one.told) && told.layers.filename !== one.newest) one.open(told)
    })
}

app.registerExtension({
    name: "CLEAR.compare",
    nodeCreated(node) {
        if (node.comfyClass !== "CLEAR_BeforeAfter") return
        node.hideOutputImages = true // the slider shows more than the picture does
        node.clearCompare = new Compare(node)
        node.clearLive = { show: (state) => node.clearCompare.hear(state) }
        const before = node.onExecuted
        node.onExecuted = function (output) {
            before?.call(this, output)
            const told = output?.clear_compare?.[0]
            if (told) this.clearCompare.open(told)
            forgetPicture(this)
        }
    },
    setup() {
        // every page hears when the queue is empty, also of a run that had nothing new to do
        api.addEventListener("status", ({ detail }) => detail?.exec_info?.queue_remaining === 0 && restore())
        restore()
    },
    afterConfigureGraph: restore,
})

/** Older pages know no hideOutputImages. */
function forgetPicture(node) {
    const outputs = app.nodeOutputs ?? {}
    for (const [key, output] of Object.entries(outputs))
        if (nodeOf(key) === node && output.images) outputs[key] = { ...output, images: undefined }
    node.imgs = node.images = undefined
}
