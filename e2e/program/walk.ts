/** Runs what a page of the manual shows, step by step as its reader would, and compares what is printed with what it shows. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { nodePath, programPath, startProcess } from '../program.ts'

export type Step =
  | { readonly kind: 'file'; readonly path: string; readonly content: string }
  | { readonly kind: 'command'; readonly command: string; readonly output: readonly string[] }

/**
 * The steps of a page, by heading: blocks of `yaml` below a line that names a file, and blocks of `console`. In what is shown,
 * `…` stands for anything within a line, and alone for any number of lines.
 */
export function stepsOf(page: string): Map<string, Step[]> {
  const chapters = new Map<string, Step[]>()
  for (const part of page.split(/^## /m).slice(1)) {
    const [, heading = '', text = ''] = /^(.*)\n([\s\S]*)$/.exec(part) ?? []
    const blocks = text.matchAll(/(?:^`([\w./-]+)`:\n\n)?^```(yaml|console)\n([\s\S]*?)^```/gm)
    const steps = [...blocks].flatMap(([, path, kind, block = '']): Step[] => {
      if (kind === 'console') return commandsOf(block)
      return path === undefined ? [] : [{ kind: 'file', path, content: block }]
    })
    chapters.set(heading, steps)
  }
  return chapters
}

function commandsOf(block: string): Step[] {
  return block
    .split(/^\$ /m)
    .slice(1)
    .map(text => {
      const [command = '', ...output] = text.trimEnd().split('\n')
      return { kind: 'command', command, output }
    })
}

export interface Walk {
  /** @throws where a command prints something else than is shown */
  step(step: Step): Promise<void>
}

/** Questions, which may be asked until what they are about has happened. */
const asks =
  /^arriero (?:search|locate|transfers|tasks(?! run)|errors|stores|librarians --ping|sneakernet status)|^curl/

/** @param ports of the page; each becomes a free one */
export async function startWalk(folder: string, ports: readonly number[]): Promise<Walk> {
  const free = await freePorts(ports.length)
  const translate = (text: string) =>
    ports.reduce((changed, port, at) => changed.replaceAll(String(port), String(free[at])), text)
  await mkdir(join(folder, 'bin'), { recursive: true })
  await mkdir(join(folder, 'home'))
  await writeFile(join(folder, 'bin', 'arriero'), `#!/bin/sh\nexec '${nodePath}' '${programPath}' "$@"\n`, {
    mode: 0o755,
  })
  const place = join(folder, 'walk')
  await mkdir(place)
  const env = {
    PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
    HOME: join(folder, 'home'),
    XDG_STATE_HOME: join(folder, 'state'),
    HL_CLIENT_CONFIG: undefined,
    NO_COLOR: '1',
    TERM: 'dumb',
  }
  let prelude = ''

  async function run(command: string): Promise<string> {
    await writeFile(join(folder, 'step'), `stty cols 80 2>/dev/null\n${prelude}${command}\n`)
    // What stays behind must not go with the terminal.
    const args = command.includes(' & ') ? [] : ['-qec', `sh '${join(folder, 'step')}'`, '/dev/null']
    const [file, more] = args.length > 0 ? ['script', args] : ['sh', [join(folder, 'step')]]
    const { stdout, stderr } = await startProcess(file, more, { cwd: place, env, timeoutMs: 180_000 }).outcome
    return asShown(stdout + stderr)
  }

  return {
    async step(step) {
      if (step.kind === 'file') {
        await mkdir(dirname(join(place, step.path)), { recursive: true })
        return await writeFile(join(place, step.path), translate(step.content))
      }
      const command = translate(step.command)
      if (/^(?:umask|export|cd) /.test(command)) prelude += `${command}\n`
      const isShown = showing(step.output.map(translate))
      let printed = await run(command)
      for (const end = Date.now() + 60_000; !isShown(printed) && asks.test(command) && Date.now() < end; ) {
        await sleep(300)
        printed = await run(command)
      }
      if (!isShown(printed)) throw new Error(`$ ${command}\n${printed}\n--- and not\n${step.output.join('\n')}`)
    },
  }
}

/** What a person sees at the end: progress that was drawn over is gone. */
function asShown(text: string): string {
  const lines = text.replaceAll('\r\n', '\n').split('\n')
  return lines.map(line => stripVTControlCharacters(line.replace(/^.*(?:\r|\u001b\[1G)/, '')).trimEnd()).join('\n')
}

/** Widths of columns follow what is in them, so that spaces count as one. */
function showing(shown: readonly string[]): (printed: string) => boolean {
  const lines = shown.map(line =>
    line.trim() === '…' ? '(?:.*\n)*?' : `${line.trim().split(/\s+/).map(quote).join(' ')} *\n`,
  )
  const pattern = new RegExp(`^${lines.join('')}$`)
  return printed => {
    const met = printed.split('\n').map(line => line.trim().replaceAll(/\s+/g, ' '))
    return pattern.test(
      met
        .filter(line => line !== '')
        .map(line => `${line}\n`)
        .join(''),
    )
  }
}

function quote(word: string): string {
  return word
    .split('…')
    .map(part => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*')
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  const ports = servers.map(server => (server.address() as { port: number }).port)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}

export async function readPage(name: string): Promise<string> {
  return await readFile(new URL(`../../docs/manual/${name}`, import.meta.url), 'utf8')
}
