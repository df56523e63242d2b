/** As much of a terminal as our program's output needs: what stands on the screen after these bytes. */

/** Characters of one look, side by side. */
export interface Span {
  readonly text: string
  /** SGR number of the foreground, e.g. 31 for red; undefined: the terminal's own. */
  readonly colour: number | undefined
  readonly isDim: boolean
}

interface Cell {
  char: string
  colour: number | undefined
  isDim: boolean
}

export class Screen {
  readonly #columns: number
  readonly #rows: Cell[][] = [[]]
  #row = 0
  #column = 0
  #colour: number | undefined
  #isDim = false

  constructor(columns: number) {
    this.#columns = columns
  }

  /** Takes what a program wrote; an escape sequence must not be cut in two. */
  write(text: string): void {
    for (const [token, code, letter] of text.matchAll(/\x1b\[([\d;?]*)([A-Za-z])|[\s\S]/gu)) {
      if (letter !== undefined) this.#obey(letter, code ?? '')
      else if (token === '\r') this.#column = 0
      else if (token === '\n') this.#down()
      else if (token >= ' ') this.#put(token)
    }
  }

  /** Rows without the empty ones at the end. */
  rows(): Span[][] {
    const rows = this.#rows.map(spansOf)
    while (rows.length > 0 && rows.at(-1)?.length === 0) rows.pop()
    return rows
  }

  #put(char: string): void {
    if (this.#column >= this.#columns) {
      this.#column = 0
      this.#down()
    }
    const row = this.#rows[this.#row]!
    while (row.length < this.#column) row.push({ char: ' ', colour: undefined, isDim: false })
    row[this.#column++] = { char, colour: this.#colour, isDim: this.#isDim }
  }

  #down(): void {
    this.#row++
    this.#rows[this.#row] ??= []
  }

  #obey(letter: string, code: string): void {
    const count = Number(code || 1)
    if (letter === 'A') this.#row = Math.max(0, this.#row - count)
    else if (letter === 'B') for (let i = 0; i < count; i++) this.#down()
    else if (letter === 'G') this.#column = Math.max(0, Number(code || 1) - 1)
    else if (letter === 'K') this.#rows[this.#row]!.length = Math.min(this.#column, this.#rows[this.#row]!.length)
    else if (letter === 'J') this.#clearBelow()
    else if (letter === 'm') for (const each of code.split(';')) this.#dress(Number(each || 0))
  }

  #clearBelow(): void {
    this.#rows[this.#row]!.length = Math.min(this.#column, this.#rows[this.#row]!.length)
    this.#rows.length = this.#row + 1
  }

  #dress(sgr: number): void {
    if (sgr === 0 || sgr === 22) this.#isDim = false
    if (sgr === 0 || sgr === 39) this.#colour = undefined
    if (sgr === 2) this.#isDim = true
    if (sgr >= 30 && sgr <= 37) this.#colour = sgr
  }
}

function spansOf(row: readonly Cell[]): Span[] {
  const spans: { text: string; colour: number | undefined; isDim: boolean }[] = []
  for (const { char, colour, isDim } of row) {
    const last = spans.at(-1)
    if (last && last.colour === colour && last.isDim === isDim) last.text += char
    else spans.push({ text: char, colour, isDim })
  }
  const last = spans.at(-1)
  if (last) last.text = last.text.trimEnd()
  return last?.text === '' ? spans.slice(0, -1) : spans
}
