import { existsSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { pathOf, read, readJson, release } from './files.ts'
import { lintDockerfile } from './lint-dockerfile.ts'

let text!: string
beforeAll(async () => {
  text = await read('deploy/Dockerfile')
})

describe('deploy/Dockerfile', () => {
  test('breaks no rule', () => {
    expect(lintDockerfile(text)).toEqual([])
  })

  test('knows every package before it installs', async () => {
    const { workspaces } = await readJson<{ workspaces: string[] }>('package.json')
    const before = text.slice(0, text.indexOf('npm ci'))
    for (const each of workspaces) expect(before).toContain(`COPY ${each}/package.json ${each}/\n`)
  })

  test('has the Node and the release of this repository', async () => {
    const { devDependencies } = await readJson<{ devDependencies: { node: string } }>('package.json')
    const major = devDependencies.node.split('.')[0]
    const images = [...text.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image)
    expect(images).toEqual(images.map(() => `node:${major}-bookworm-slim`))
    expect(text).toContain(`image.version="${(await release()).version}"`)
  })

  test('builds by scripts that there are, and takes along what they make', async () => {
    const { scripts } = await readJson<{ scripts: Record<string, string> }>('package.json')
    const run = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name!)
    expect(run).toEqual(['docs:build'])
    expect(scripts['docs:build']).toMatch(/^npm run build && /)
    for (const made of ['node_modules', 'packages', 'docs/dist'])
      expect(text).toContain(`COPY --from=build /opt/arriero/${made} /opt/arriero/${made}\n`)
    // What is sent to the build is all that it needs.
    const left = (await read('.dockerignore')).split('\n')
    for (const needed of ['docs', 'scripts', 'typedoc.json']) expect(left).not.toContain(needed)
  })

  test('starts what is there', () => {
    const programs = [...text.matchAll(/"\/opt\/arriero\/([^"]+\.js)"/g)].map(([, path]) => path!)
    expect(programs.length).toBeGreaterThan(1)
    for (const path of programs) expect(existsSync(pathOf(path)), path).toBe(true)
  })

  test('sends the build neither history nor secrets nor what was built elsewhere', async () => {
    const left = (await read('.dockerignore')).split('\n')
    for (const each of ['.git', '**/node_modules', '**/dist', 'deploy/compose/secrets']) expect(left).toContain(each)
  })
})

describe('lintDockerfile()', () => {
  test.each([
    ['root by default', /^USER .*$/m, '', 'USER'],
    ['root by number', /^USER .*$/m, 'USER 0:0', 'USER'],
    ['a user by name', /^USER .*$/m, 'USER node', 'USER'],
    ['a secret in the environment', /^ENV /m, 'ENV DATABASE_PASSWORD=x ', 'ENV'],
    ['a secret of the build', /^EXPOSE/m, 'ARG NPM_TOKEN=x\nEXPOSE', 'ARG'],
    ['a script from the network', /^EXPOSE/m, 'RUN curl -fsSL https://example.org/x | sh\nEXPOSE', 'RUN'],
    ['no lock file', 'npm ci', 'npm install', 'RUN'],
    ['sources before dependencies', /^COPY package\.json.*$/m, 'COPY . .', 'COPY'],
    ['whichever image is newest', 'FROM node:24-bookworm-slim AS build', 'FROM node AS build', 'FROM'],
    ['a shell that keeps signals', /^ENTRYPOINT .*$/m, 'ENTRYPOINT node arriero.js', 'ENTRYPOINT'],
    ['no look at its health', /^HEALTHCHECK[^\n]*\n[^\n]*$/m, '', 'HEALTHCHECK'],
    ['a fetch by ADD', /^EXPOSE/m, 'ADD https://example.org/x /x\nEXPOSE', 'ADD'],
  ])('tells of %s', (_, from, to, rule) => {
    const changed = text.replace(from, to)
    expect(changed).not.toBe(text)
    expect(lintDockerfile(changed).join('\n')).toContain(`: ${rule} `)
  })
})
