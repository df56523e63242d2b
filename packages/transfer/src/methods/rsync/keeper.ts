/**
 * Runs a program, and ends it when whoever began this process is gone, even killed: left alone, rsync goes on for hours.
 * `node keeper.js DIRECTORY PROGRAM ARGUMENT…`, with a pipe as descriptor 3 that is open for as long as the program may run; if that
 * closes first, the directory goes with it.
 */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { Socket } from 'node:net'

/** Once told to end it tidies up, which takes no time unless a disk hangs. */
const MOST_TO_END_MS = 10_000

/** As rsync ends when it is told to. */
const TOLD_TO_END = 20

const [directory = '', program = '', ...args] = process.argv.slice(2)
const child = spawn(program, args, { stdio: 'inherit' })
child.once('error', error => {
  console.error(error.message)
  process.exit(127)
})
child.once('close', code => process.exit(code ?? TOLD_TO_END))

const leash = new Socket({ fd: 3 })
leash.on('error', () => {})
leash.once('close', () => {
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  child.kill('SIGTERM')
  setTimeout(() => child.kill('SIGKILL'), MOST_TO_END_MS)
})
leash.resume()
