/**
 * `node scripts/draw-terminal.ts`: draws docs/pictures/terminal.svg, the picture in the README, from what the built
 * program really prints on a terminal of 80 columns. Needs `script` (util-linux).
 *
 * The program fetches from a server on this machine, as its proxy: so the picture shows a name instead of an address.
 */
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { sha256, startServer, testBytes } from '../e2e/program/server.ts'
import { nodePath, programPath } from '../e2e/program.ts'
import { Screen, type Span } from './terminal-screen.ts'

const picture = fileURLToPath(new URL('../docs/pictures/terminal.svg', import.meta.url))
const columns = 80
const host = 'http://data.example.org'

interface Scene {
  /** As typed. */
  readonly command: string
  /** Press Ctrl-C when the screen matches, and show the screen of that moment too. */
  readonly interruptAt?: RegExp
  /** Show the screen of this moment before the last one. */
  readonly lookAt?: RegExp
}

const server = await startServer()
const directory = await mkdtemp(join(tmpdir(), 'arriero-picture-'))
try {
  const scenes = await prepare()
  const lines: Span[][] = []
  for (const scene of scenes) lines.push(...typed(scene.command), ...(await play(scene)))
  await writeFile(picture, draw(lines))
  console.log(`written: ${picture}`)
} finally {
  await server.close()
  await rm(directory, { recursive: true })
}

async function prepare(): Promise<Scene[]> {
  const ocean = testBytes(160 << 20)
  server.serve(`${host}/ocean.nc`, { body: ocean, rate: 9_000_000 })
  const names = ['sst', 'salinity', 'currents', 'waves', 'ice', 'wind', 'chlorophyll', 'oxygen']
  const rows = names.map((name, index) => {
    const body = testBytes((20 + 4 * index) << 20)
    server.serve(`${host}/${name}.nc`, { body, rate: 5_000_000 })
    return `${host}/${name}.nc,${sha256(body)},sha256\n`
  })
  await mkdir(join(directory, 'data'))
  await writeFile(join(directory, 'list.csv'), `url,checksum,checksum-algorithm\n${rows.join('')}`)
  const get = `arriero get ${host}/ocean.nc --checksum sha256:${sha256(ocean)}`
  return [
    { command: get, interruptAt: / [45]\d%/ },
    { command: get },
    { command: 'arriero get --manifest list.csv -d data --report report.jsonl', lookAt: /[2-6]\/8 files.* [3-7]\d%/ },
  ]
}

/** Runs a command on a terminal of its own; gives what stood on its screen. */
async function play({ command, interruptAt, lookAt }: Scene): Promise<Span[][]> {
  const program = `${quoted(nodePath)} ${quoted(programPath)}${command.slice('arriero'.length)}`
  const child = spawn('script', ['-qfec', `stty cols ${columns} rows 24; exec ${program}`, '/dev/null'], {
    cwd: directory,
    env: { ...process.env, HTTP_PROXY: server.url, TERM: 'xterm', NO_COLOR: undefined },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const screen = new Screen(columns)
  const moments: Span[][] = []
  const wanted = interruptAt ?? lookAt
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen.write(text)
    const rows = screen.rows()
    if (moments.length > 0 || !wanted?.test(rows.map(row => row.map(span => span.text).join('')).join('\n'))) return
    moments.push(...rows)
    if (interruptAt) child.stdin.write('\x03')
  })
  await Promise.race([new Promise(resolve => child.on('close', resolve)), sleep(60_000, undefined, { ref: false })])
  child.kill()
  return [...moments, ...screen.rows()]
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`
}

/** The prompt and what was typed, wrapped as a terminal does. */
function typed(command: string): Span[][] {
  const text = `$ ${command}`
  const rows: Span[][] = []
  for (let at = 0; at < text.length; at += columns) {
    rows.push([{ text: text.slice(at, at + columns), colour: 36, isDim: false }])
  }
  return rows
}

function draw(lines: readonly (readonly Span[])[]): string {
  const [charWidth, lineHeight, margin] = [8.4, 20, 18]
  const width = Math.ceil(columns * charWidth + 2 * margin)
  const height = lines.length * lineHeight + 2 * margin
  const colours: Record<number, string> = { 31: '#ff7b72', 32: '#7ee787', 33: '#e3b341', 36: '#79c0ff' }
  const texts = lines.flatMap((line, row) => {
    let column = 0
    return line.map(({ text, colour, isDim }) => {
      const [x, y] = [margin + column * charWidth, margin + row * lineHeight + 14]
      column += [...text].length
      const fill = colour === undefined ? '' : ` fill="${colours[colour] ?? '#e6edf3'}"`
      const opacity = isDim ? ' opacity="0.65"' : ''
      const length = ([...text].length * charWidth).toFixed(1)
      return `<text x="${x.toFixed(1)}" y="${y}" textLength="${length}"${fill}${opacity}>${escaped(text)}</text>`
    })
  })
  // A panel of its own colour, so that it reads the same on a light page and on a dark one.
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="#e6edf3" xml:space="preserve">
<title>arriero get, interrupted and continued; then a list of eight files</title>
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="#161b22" stroke="#6e7681"/>
${texts.join('\n')}
</svg>
`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
