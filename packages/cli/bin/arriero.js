#!/usr/bin/env node
// biome-ignore-all lint/style/useNodejsImportProtocol: Nodes before 14.18 do not know `node:`
/*
 * The launcher: runs the program under Node 24 or later, whichever Node has started it.
 *
 * CommonJS (bin/package.json says so) in the language of Node 10, because the one thing that an old Node must be able to
 * do is to read this file, and then to hand over to the pinned Node or say in one line what is needed.
 */
'use strict'

const path = require('path')

const NEEDED = 24

if (Number(process.versions.node.split('.')[0]) >= NEEDED) run()
else handOver()

function run() {
  // Set by handOver(); not for what we start.
  delete process.env.ARRIERO_LAUNCHED
  if (!isServer()) keepCompiledCode()
  import('../dist/main.js').then(
    main => main.start(),
    error => {
      const isUnbuilt = error.code === 'ERR_MODULE_NOT_FOUND' && /dist[\\/]main\.js/.test(error.message)
      stop(isUnbuilt ? 'the program is not built; run: npm run build' : error.message)
    },
  )
}

/** Kept code stays in memory as well: 11 MB for as long as a server runs, which starts no faster by it. */
function isServer() {
  const command = process.argv.slice(2).find(word => !word.startsWith('-'))
  return command === 'serve' || command === 'worker'
}

/** In the user's own cache: Node's default lies below the shared temporary directory, where others may plant things. */
function keepCompiledCode() {
  if (process.env.NODE_COMPILE_CACHE) return
  try {
    const cache = process.env.XDG_CACHE_HOME || path.join(require('os').homedir(), '.cache')
    require('module').enableCompileCache(path.join(cache, 'arriero', 'compiled'))
  } catch (_) {
    // Only speed is lost, e.g. without a home directory.
  }
}

function handOver() {
  const node = findNode()
  if (node === undefined) stop(`${need()}; install it, or set ARRIERO_NODE to its path.`)
  // A wrong ARRIERO_NODE would hand over for ever.
  if (process.env.ARRIERO_LAUNCHED) stop(`${need()}, and so is the one that was found: ${process.execPath}`)
  process.env.ARRIERO_LAUNCHED = '1'
  const args = [__filename].concat(process.argv.slice(2))
  if (process.execve) become(node, args)
  runAsChild(node, args)
}

/** Turns this process into the other Node; returns where that cannot be done. */
function become(node, args) {
  // That this is experimental is nothing for our users.
  process.removeAllListeners('warning')
  try {
    process.execve(node, [node].concat(args), process.env)
  } catch (_) {
    // Not on this system: a child does as well.
  }
}

function runAsChild(node, args) {
  const child = require('child_process').spawn(node, args, { stdio: 'inherit' })
  // A terminal sends Ctrl-C to both of us, `kill` only to this one: the program takes two within an instant for one.
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, () => child.kill(signal))
  child.on('error', error => stop(`cannot run ${node}: ${error.message}`))
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code)
    for (const name of signals) process.removeAllListeners(name)
    process.kill(process.pid, signal)
  })
}

/** ARRIERO_NODE, else the Node that npm installed beside this package or in a directory above it. */
function findNode() {
  if (process.env.ARRIERO_NODE) return process.env.ARRIERO_NODE
  const name = process.platform === 'win32' ? 'node.exe' : 'node'
  for (let folder = __dirname; ; folder = path.dirname(folder)) {
    const candidate = path.join(folder, 'node_modules', 'node', 'bin', name)
    if (require('fs').existsSync(candidate)) return candidate
    if (folder === path.dirname(folder)) return undefined
  }
}

function need() {
  return `needs Node ${NEEDED} or later, this is ${process.version}`
}

function stop(message) {
  process.stderr.write(`arriero: ${message}\n`)
  process.exit(2)
}
