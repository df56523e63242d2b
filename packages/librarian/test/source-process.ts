/** Starts programs of the tests from source. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

export interface SourceProcess {
  readonly child: ChildProcessByStdio<Writable, Readable, null>
  /** What it has printed so far. */
  readonly lines: readonly string[]
  /** Resolves when it has printed so many lines; rejects if it ends before. */
  printed(count: number): Promise<void>
  readonly exited: Promise<number | null>
}

export function startSource(program: string, args: readonly string[], before: readonly string[] = []): SourceProcess {
  const path = fileURLToPath(new URL(`./programs/${program}.ts`, import.meta.url))
  const command = [...before, process.execPath, '--conditions=source', path, ...args]
  const child = spawn(command[0]!, command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines: string[] = []
  const waiting = new Set<() => void>()
  const wake = () => {
    for (const look of waiting) look()
  }
  let hasEnded = false
  createInterface(child.stdout).on('line', line => {
    lines.push(line)
    wake()
  })
  const exited = new Promise<number | null>(resolve => child.on('close', resolve))
  void exited.then(() => {
    hasEnded = true
    wake()
  })
  const printed = (count: number) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (lines.length >= count) resolve()
        else if (hasEnded) reject(new Error(`${program} ended after ${lines.length} lines`))
        else return
        waiting.delete(look)
      }
      waiting.add(look)
      look()
    })
  return { child, lines, printed, exited }
}
