// What the server says in English, in Chinese: whole sentences by the catalogue chinese.json, with {1}, {2} where the
// run fills something in. The server itself speaks English to everybody, so that reports mean the same to programs;
// scripts/sentences.py says which of its sentences the catalogue lacks.
const empty = { page: {}, choices: {}, told: {} }
const found = await fetch(new URL("chinese.json", import.meta.url)).catch(() => null)
const { page, choices, told } = found?.ok ? await found.json() : empty

const GAP = /\{(\d+)\}/
const TIGHT = "((?:(?!\\.(?: |$)|\\n)[^])*?)" // within a sentence; as little as can be
const GREEDY = TIGHT.replace("*?", "*")
const LOOSE = "([^]*?)" // whole sentences stand there too, as in "NAME: what went wrong. What to do."
const BETWEEN = [["; ", "；"], [", ", "、"], [" and ", "，"]]

/** A word of the page, or one that the server uses too; null where there is none in Chinese. */
export const word = (text) => page[text] ?? told[text] ?? null

/** A choice of an input, with the value that help and workflows know it by; null where it has no Chinese word. */
export function choice(input, value) {
    const said = choices[`${input}: ${value}`] ?? choices[value]
    return said ? `${said}（${value}）` : null
}

/** [{english, tight, loose, chinese}, ...]: what says most comes first. Made when the first sentence comes. */
let patterns
function compiled() {
    const weight = (english) => english.replace(/\{\d+\}/g, "").length
    const escaped = (part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
    const pattern = (english, gap) => {
        const parts = english.split(GAP) // what is said and the number of a gap by turns
        return new RegExp(`^${parts.map((part, i) => (i % 2 ? gap : escaped(part))).join("")}$`, "i")
    }
    return Object.entries(told)
        .sort(([one], [other]) => weight(other) - weight(one))
        .map(([english, said]) => ({
            english, said,
            tight: [pattern(english, TIGHT), pattern(english, GREEDY)], loose: [pattern(english, LOOSE)],
        }))
}

/** One sentence of the catalogue; null where it is none. */
function whole(text, how = "tight", of = () => true) {
    if (text in page) return page[text]
    patterns ??= compiled()
    for (const one of patterns) {
        const found = of(one) ? one[how].map((pattern) => pattern.exec(text)).filter(Boolean) : []
        const gaps = found.find((all) => all.slice(1).every(isBalanced)) ?? found[0]
        if (gaps) return one.said.replace(/\{(\d+)\}/g, (_, n) => filled(gaps[n]))
    }
    return null
}

/** Whether each bracket of a text is closed again in it. */
function isBalanced(text) {
    let open = 0
    for (const letter of text) {
        open += letter === "(" ? 1 : letter === ")" ? -1 : 0
        if (open < 0) return false
    }
    return !open
}

/** What a run filled in: a phrase of the catalogue, several of them, a sentence, or what needs no translation. */
function filled(text) {
    const one = text.trim()
    if (!/[A-Za-z]{2}/.test(one)) return text
    if (one.startsWith("; ")) return `；${filled(one.slice(2))}`
    if (one.includes("\n")) return inChinese(one)
    return listed(one, true) ?? whole(one) ?? listed(one, false) ?? inChinese(one)
}

/** A list, element by element; null where it is none, or not everything in it is known. */
function listed(text, all) {
    for (const [mark, chinese] of BETWEEN) {
        const parts = text.split(mark)
        if (parts.length < 2) continue
        const said = parts.map((part) => listed(part, all) ?? whole(part))
        const known = (one) => one !== null
        if (all ? said.every(known) : said.some(known)) return said.map((one, i) => one ?? parts[i]).join(chinese)
    }
    return null
}

/** A name before a sentence, sentences behind one another; null where they are none that are known. */
function several(text) {
    for (const end of text.matchAll(/[.?!;](?= )|:(?= )/g)) {
        const [head, rest] = [text.slice(0, end.index + 1), text.slice(end.index + 2)]
        if (end[0] === ":") {
            const said = whole(rest) ?? several(rest) ?? whole(rest, "loose")
            if (said !== null) return `${head.slice(0, -1)}：${said}`
        } else {
            const said = whole(end[0] === ";" ? head.slice(0, -1) : head)
            if (said !== null) return said + (end[0] === ";" ? "；" : "") + inChinese(rest)
        }
    }
    return null
}

/** A text of the server in Chinese, as far as the catalogue knows it. */
export function inChinese(text) {
    const known = whole(text)
    if (known !== null) return known
    const said = text.includes("\n") ? whole(text, "loose", (one) => one.english.includes("\n")) : null
    if (said !== null) return said
    for (const between of ["\n", "  "])
        if (text.includes(between)) return text.split(between).map((part) => part && inChinese(part)).join(between)
    const ended = text.endsWith(".") ? whole(text.slice(0, -1)) : null
    return (ended && `${ended}。`) ?? several(text) ?? whole(text, "loose") ?? text
}
