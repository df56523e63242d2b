/** Markdown as the formatter leaves it, so that what is generated and what is formatted are the same. */

/** A table whose columns line up; cells are Markdown already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, at) => Math.max(3, title.length, ...rows.map(row => row[at]!.length)))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at]!)).join(' | ')} |`
  const rule = `| ${widths.map(width => '-'.repeat(width)).join(' | ')} |`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

/** Running text of the program: but for code in backticks, nothing in it is meant as Markdown. */
export function plain(text: string): string {
  return text.replaceAll(/`[^`]+`|[\\`*_<>[\]|]/g, met => (met.length > 1 ? code(met.slice(1, -1)) : `\\${met}`))
}

/** A `|` would end the cell even here. */
export function code(text: string): string {
  return text === '' ? '' : `\`${text.replaceAll('|', '\\|')}\``
}

export function fence(language: string, text: string): string {
  return `\`\`\`${language}\n${text}\n\`\`\``
}

/** Blocks with an empty line between each two, and one line break at the end. */
export function blocks(...parts: readonly (string | undefined)[]): string {
  return `${parts.filter(part => part !== undefined && part !== '').join('\n\n')}\n`
}
