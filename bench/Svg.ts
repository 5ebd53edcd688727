/**
 * As much of SVG as the drawings of the documentation need. Colours follow the reader's scheme, light or dark.
 */

type Attributes = Readonly<Record<string, string | number>>

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")

const round = (value: string | number): string =>
  typeof value === "number" ? String(Math.round(value * 10) / 10) : value

export const element = (name: string, attributes: Attributes, ...content: ReadonlyArray<string>): string => {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${round(value)}"`).join("")
  return content.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${content.join("")}</${name}>`
}

export const text = (x: number, y: number, content: string, attributes: Attributes = {}): string =>
  element("text", { x, y, ...attributes }, escape(content))

export const line = (x1: number, y1: number, x2: number, y2: number, attributes: Attributes = {}): string =>
  element("line", { x1, y1, x2, y2, ...attributes })

export const rect = (x: number, y: number, width: number, height: number, attributes: Attributes = {}): string =>
  element("rect", { x, y, width, height, ...attributes })

/** A line through points. */
export const path = (points: ReadonlyArray<readonly [x: number, y: number]>, attributes: Attributes = {}): string =>
  element("path", { d: `M${points.map(([x, y]) => `${round(x)} ${round(y)}`).join("L")}`, ...attributes })

const style = `
text{font:13px system-ui,sans-serif;fill:#24292f}
.title{font-weight:600;font-size:15px}
.quiet{fill:#57606a;font-size:12px}
.axis{stroke:#8c959f;fill:none}
.fresh{fill:#2da44e}.due{fill:#d4a72c}.stale{fill:#e16f24}.over{fill:#cf222e}
.limit{stroke:#cf222e;stroke-dasharray:5 4;fill:none}
.few{stroke:#d4a72c;fill:none}.many{stroke:#0969da;fill:none}.area{fill:#0969da;fill-opacity:.25}
.mark{stroke:#24292f;fill:none}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.quiet{fill:#9198a1}.mark{stroke:#e6edf3}.many{stroke:#4493f8}}
`

/** A whole drawing. `title` says what it shows to those who cannot see it. */
export const drawing = (width: number, height: number, title: string, ...content: ReadonlyArray<string>): string =>
  `${
    element(
      "svg",
      { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${width} ${height}`, width, height, role: "img" },
      `\n${element("title", {}, escape(title))}\n`,
      element("style", {}, style),
      `\n${content.join("\n")}\n`
    )
  }\n`
