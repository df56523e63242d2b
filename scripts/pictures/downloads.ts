/**
 * Draws docs/pictures/terminal.svg from what the built program really prints on a terminal.
 *
 * The program fetches from a server on this machine, as its proxy: so the picture shows a name instead of an address.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256, startServer, type TestServer, testBytes } from '../../e2e/program/server.ts'
import { drawScreen } from './draw-screen.ts'
import { pathOf } from './path-of.ts'
import { playScene, type Scene } from './play-scene.ts'
import type { Span } from './terminal-screen.ts'

const host = 'http://data.example.org'

export async function drawDownloads(): Promise<void> {
  const server = await startServer()
  const directory = await mkdtemp(join(tmpdir(), 'arriero-picture-'))
  try {
    const place = { directory, env: { HTTP_PROXY: server.url } }
    const lines: Span[][] = []
    for (const scene of await prepare(server, directory)) lines.push(...(await playScene(scene, place)))
    const title = 'arriero get, interrupted and continued; then a list of eight files'
    await writeFile(pathOf('terminal.svg'), drawScreen(lines, title))
  } finally {
    await server.close()
    await rm(directory, { recursive: true })
  }
}

async function prepare(server: TestServer, directory: string): Promise<Scene[]> {
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
