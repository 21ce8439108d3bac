// Draw Areas: rectangles and outlines on a frame of the film. What is drawn is the node's text, which can be typed too
// (clear_runtime/frames/areas.py).
import { app } from "../../scripts/app.js"
import { api } from "../../scripts/api.js"
import { filmOf, frameAddress, watchFilm } from "./film.js"
import { button, element, place, say, timecode } from "./words.js"

const HEIGHT = 320
const KINDS = { subtitle: "#ffd54a", limit: "#4aa8ff", protect: "#55d17a" }
const SIDE = 1280
const LEAST = 0.4 // per cent of the picture that a drawn area has at least
const APART = 0.6 // per cent between two corners of an outline

/** "subtitle 20%,75%,60%,20%; ..." -> [{kind, corners: [[x, y], ...]}] in per cent; what is no area, or in pixels that
 * nobody knows yet, is kept as {text}. */
export function areasOf(text, size) {
    return text.split(";").map((one) => one.trim()).filter(Boolean).map((one) => {
        const [kind, ...pairs] = one.split(/\s+/)
        const numbers = pairs.map((pair) => pair.split(",").map((word, n) => {
            const value = Number.parseFloat(word)
            return word.endsWith("%") ? value : size ? (100 * value) / size[n % 2] : Number.NaN
        }))
        if (!(kind in KINDS) || !numbers.length || numbers.flat().some(Number.isNaN)) return { text: one }
        if (numbers.length === 1 && numbers[0].length === 4) {
            const [left, top, width, height] = numbers[0]
            const [right, bottom] = [left + width, top + height]
            return { text: one, kind, corners: [[left, top], [right, top], [right, bottom], [left, bottom]] }
        }
        const outline = numbers.length > 2 && numbers.every((pair) => pair.length === 2)
        return outline ? { text: one, kind, corners: numbers } : { text: one }
    })
}

const percent = (value) => `${Math.round(10 * value) / 10}%`
const rectangle = (kind, [x, y], [u, v]) =>
    `${kind} ${[Math.min(x, u), Math.min(y, v), Math.abs(u - x), Math.abs(v - y)].map(percent).join(",")}`
const outline = (kind, corners) => `${kind} ${corners.map((corner) => corner.map(percent).join(",")).join(" ")}`

class Areas {
    constructor(node) {
        this.node = node
        this.kind = "subtitle"
        this.free = false
        this.picture = element("img")
        this.picture.addEventListener("load", () => this.draw())
        this.build()
        place(node, "clear_areas", this.root, HEIGHT)
        new ResizeObserver(() => this.draw()).observe(this.canvas)
        this.widget = node.widgets.find((one) => one.name === "areas")
        this.watch()
    }

    build() {
        const whole = { width: "100%", flex: "1 1 0", minHeight: "0", touchAction: "none", cursor: "crosshair" }
        this.canvas = element("canvas", { style: whole })
        this.canvas.addEventListener("pointerdown", (event) => this.grab(event))
        const range = { type: "range", min: 0, max: 0, step: 0.04, value: 0, title: say("another frame") }
        this.time = element("input", { ...range, style: { width: "100%", margin: "0" } })
        this.time.addEventListener("input", () => this.seek())
        this.kinds = Object.entries(KINDS).map(([kind, colour]) => {
            const one = button(say(`draw ${kind}`), `draw ${kind}: why`, () => this.choose(kind))
            one.dataset.kind = kind
            one.style.borderBottom = `3px solid ${colour}`
            return one
        })
        this.shape = button("", "rectangle or outline", () => this.choose(this.kind, !this.free))
        this.told = element("span", { style: { color: "#999", flex: "1 1 auto", textAlign: "right" } })
        const tools = element(
            "div", { style: { display: "flex", flexWrap: "wrap", gap: "3px", flex: "none", alignItems: "center" } },
            ...this.kinds, this.shape,
            button("↶", "take the last one back", () => this.put(this.texts().slice(0, -1))),
            button("✕", "take all away", () => this.put([])),
            this.told,
        )
        this.root = element(
            "div",
            {
                className: "clear-areas",
                style: {
                    display: "flex", flexDirection: "column", gap: "3px", boxSizing: "border-box",
                    width: "100%", height: "100%", font: "12px sans-serif",
                    color: "#ccc", background: "#1c1c1c", borderRadius: "6px", padding: "4px",
                },
            },
            tools, this.canvas, this.time,
        )
        for (const kind of ["pointerdown", "contextmenu", "dblclick"])
            this.root.addEventListener(kind, (event) => event.stopPropagation())
        this.choose(this.kind)
    }

    choose(kind, free = this.free) {
        Object.assign(this, { kind, free })
        for (const one of this.kinds) one.style.background = one.dataset.kind === kind ? "#555" : "#333"
        this.shape.textContent = say(free ? "outline" : "rectangle")
    }

    /** The film's frame, and the text where somebody types. */
    watch() {
        watchFilm(this.node, (facts) => {
            this.facts = facts
            this.time.max = facts?.length ?? 0
            this.time.style.display = facts?.length ? "" : "none"
            this.seek()
        })
        const before = this.widget.callback
        this.widget.callback = (...given) => {
            before?.apply(this.widget, given)
            this.draw()
        }
        this.draw()
    }

    seek() {
        const file = filmOf(this.node)
        clearTimeout(this.waiting) // while the hand moves, no frame is asked for
        if (!file || this.facts?.failed) {
            if (this.facts?.failed) this.picture.removeAttribute("src") // what is there is another film's
            return this.draw()
        }
        this.told.textContent = timecode(Number(this.time.value))
        const show = () => (this.picture.src = frameAddress(file, Number(this.time.value), SIDE))
        this.waiting = setTimeout(show, this.picture.src ? 150 : 0)
    }

    /** A frame of a run, where no file is known. */
    show(file) {
        if (filmOf(this.node)) return
        this.picture.src = api.apiURL(`/view?${new URLSearchParams(file)}`)
    }

    texts() {
        return areasOf(this.widget.value ?? "").map((one) => one.text)
    }

    put(texts) {
        this.widget.value = texts.join("; ")
        this.widget.callback?.(this.widget.value)
        this.node.graph?.change?.()
        app.extensionManager?.workflow?.activeWorkflow?.changeTracker?.checkState?.()
        this.draw()
    }

    /** What stands in the picture's place while there is none. */
    hint() {
        if (!filmOf(this.node)) return say("Connect a film, and draw on it")
        return say(this.facts?.failed ? "No picture can be read from this file" : "The first frame is on its way")
    }

    /** Where the picture lies on the canvas, in its pixels. */
    box() {
        const { width, height } = this.canvas
        const [wide, high] = [this.picture.naturalWidth || 16, this.picture.naturalHeight || 9]
        const scale = Math.min(width / wide, height / high)
        return [(width - wide * scale) / 2, (height - high * scale) / 2, wide * scale, high * scale]
    }

    draw() {
        const { canvas } = this
        const dense = (window.devicePixelRatio || 1) * Math.min(2, Math.max(1, app.canvas?.ds?.scale ?? 1))
        canvas.width = Math.max(1, Math.round(canvas.clientWidth * dense))
        canvas.height = Math.max(1, Math.round(canvas.clientHeight * dense))
        const pen = canvas.getContext("2d")
        const box = this.box()
        pen.fillStyle = "#111"
        pen.fillRect(...box)
        if (this.picture.naturalWidth) pen.drawImage(this.picture, ...box)
        else {
            pen.fillStyle = "#999"
            pen.font = `${13 * dense}px sans-serif`
            pen.textAlign = "center"
            pen.fillText(this.hint(), canvas.width / 2, canvas.height / 2)
        }
        const known = areasOf(this.widget?.value ?? "", this.facts?.size)
        for (const one of [...known, this.drawing].filter((one) => one?.corners)) this.ink(pen, box, one, dense)
    }

    ink(pen, [left, top, width, height], { kind, corners }, dense) {
        pen.beginPath()
        for (const [x, y] of corners) pen.lineTo(left + (x * width) / 100, top + (y * height) / 100)
        pen.closePath()
        pen.fillStyle = `${KINDS[kind]}55`
        pen.strokeStyle = KINDS[kind]
        pen.lineWidth = 1.5 * dense
        pen.fill()
        pen.stroke()
    }

    /** Where a pointer is on the picture, in per cent of it. */
    at(event) {
        const shown = this.canvas.getBoundingClientRect()
        const [left, top, width, height] = this.box()
        const inside = (value) => Math.max(0, Math.min(100, value))
        return [
            inside((100 * (((event.clientX - shown.left) * this.canvas.width) / shown.width - left)) / width),
            inside((100 * (((event.clientY - shown.top) * this.canvas.height) / shown.height - top)) / height),
        ]
    }

    grab(event) {
        if (event.button !== 0) return
        event.preventDefault()
        const first = this.at(event)
        const corners = [first]
        const { kind, free } = this
        let text = ""
        const move = (now) => {
            const at = this.at(now)
            if (free && Math.hypot(at[0] - corners.at(-1)[0], at[1] - corners.at(-1)[1]) > APART) corners.push(at)
            text = free ? outline(kind, corners) : rectangle(kind, first, at)
            this.drawing = areasOf(text)[0]
            this.draw()
        }
        const end = () => {
            window.removeEventListener("pointermove", move, true)
            window.removeEventListener("pointerup", end, true)
            const drawn = this.drawing?.corners
            this.drawing = null
            const along = (n) => drawn.map((one) => one[n])
            const far = (n) => drawn && Math.max(...along(n)) - Math.min(...along(n)) > LEAST
            if (far(0) && far(1)) this.put([...this.texts(), text])
            else this.draw()
        }
        window.addEventListener("pointermove", move, true)
        window.addEventListener("pointerup", end, true)
    }
}

app.registerExtension({
    name: "CLEAR.areas",
    nodeCreated(node) {
        if (node.comfyClass !== "CLEAR_DrawAreas") return
        node.clearAreas = new Areas(node)
        const before = node.onExecuted
        node.onExecuted = function (output) {
            before?.call(this, output)
            if (output?.clear_frame?.[0]) this.clearAreas.show(output.clear_frame[0])
        }
    },
    afterConfigureGraph() {
        for (const node of app.graph?.nodes ?? []) node.clearAreas?.draw()
    },
})
