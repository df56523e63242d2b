import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Compose, composeSchema, type Service } from './compose-schema.ts'
import { pathOf, read, readMerged, release } from './files.ts'
import { settingsOf } from './settings.ts'

const folder = 'deploy/compose'
let compose!: Compose
let services!: [string, Service][]
beforeAll(async () => {
  compose = composeSchema.parse(await readMerged(`${folder}/compose.yaml`))
  services = Object.entries(compose.services)
})

const ours = () => services.filter(([, { image }]) => image.startsWith('arriero:'))
const commandsWith = (word: string) => ours().filter(([, { command }]) => command?.includes(word))

describe('deploy/compose/compose.yaml', () => {
  test('has two that answer calls, two workers, and what they need', () => {
    expect(commandsWith('api')).toHaveLength(2)
    expect(commandsWith('worker')).toHaveLength(2)
    expect(commandsWith('--prepare')).toHaveLength(1)
    expect(services.map(([name]) => name)).toEqual(expect.arrayContaining(['postgres', 'objects', 'proxy']))
  })

  test('runs the image of this release, built from this repository', async () => {
    const { version } = await release()
    for (const [name, { image, build }] of ours()) {
      expect(image, name).toBe(`arriero:${version}`)
      expect(existsSync(pathOf(join(folder, build!.context, build!.dockerfile)))).toBe(true)
    }
  })

  test('names only what it has', () => {
    for (const [name, service] of services) {
      const { depends_on = {}, secrets, volumes, networks } = service
      for (const each of Object.keys(depends_on)) expect(compose.services, name).toHaveProperty([each])
      for (const each of secrets) expect(compose.secrets, name).toHaveProperty([each])
      const names = Array.isArray(networks) ? networks : Object.keys(networks)
      for (const each of names) expect(compose.networks, name).toHaveProperty([each])
      for (const volume of volumes) {
        const [source = ''] = volume.split(':')
        if (source.startsWith('./')) expect(existsSync(pathOf(join(folder, source))), source).toBe(true)
        else
          expect(compose.volumes, `${name}: a volume, and no directory of somebody’s machine`).toHaveProperty([source])
      }
    }
  })

  test('keeps secrets out of the environment', () => {
    for (const [name, { environment = {} }] of services) {
      for (const [key, value] of Object.entries(environment)) {
        if (/PASSWORD|SECRET|KEY|TOKEN/.test(key))
          expect(`${name}: ${key}=${value}`).toMatch(/_FILE=\/run\/secrets\/\w+$/)
      }
    }
  })

  test('starts nobody before what it needs, and looks at the health of all that can be asked', () => {
    const { prepare, proxy, postgres, objects } = compose.services
    expect(prepare!.depends_on).toMatchObject({
      postgres: { condition: 'service_healthy' },
      objects: { condition: 'service_healthy' },
    })
    for (const [, { depends_on }] of [...commandsWith('api'), ...commandsWith('worker')]) {
      expect(depends_on).toMatchObject({ prepare: { condition: 'service_completed_successfully' } })
    }
    for (const [name] of commandsWith('api')) {
      expect(proxy!.depends_on?.[name]).toEqual({ condition: 'service_healthy', restart: true })
    }
    for (const [, { command, healthcheck }] of commandsWith('worker')) {
      const { test: asked } = healthcheck as { readonly test: readonly string[] }
      expect(asked.at(-1)).toBe(`http://127.0.0.1:${command![command!.indexOf('--port') + 1]}`)
    }
    // Those of the API ask as the image says.
    for (const each of [proxy, postgres, objects]) expect(each!.healthcheck).toHaveProperty('test')
  })

  test('lets only the proxy be reached, and gives the server time to end', () => {
    expect(services.filter(([, { ports }]) => ports).map(([name]) => name)).toEqual(['proxy'])
    for (const [, { stop_grace_period }] of [...commandsWith('api'), ...commandsWith('worker')]) {
      expect(Number.parseInt(stop_grace_period!, 10)).toBeGreaterThan(30)
    }
  })
})

describe('deploy/compose/arriero.yaml', () => {
  test('is a librarian’s settings, and believes the proxy of the file, nobody else', async () => {
    const { settings } = await settingsOf(`${folder}/arriero.yaml`)
    const { networks } = compose.services.proxy!
    expect(settings.trustedProxies).toEqual([
      (networks as Record<string, { ipv4_address?: string }>).inner!.ipv4_address,
    ])
    expect(settings.warnings).toEqual([])
    expect(settings.catalogue.engine).toBe('postgres')
  })

  test('reads no other secrets than those that its containers are given', async () => {
    const named = [...(await read(`${folder}/arriero.yaml`)).matchAll(/\/run\/secrets\/(\w+)/g)].map(([, name]) => name)
    expect(named).toHaveLength(3)
    for (const [, { secrets }] of [...commandsWith('serve'), ...commandsWith('worker')]) {
      expect(secrets).toEqual(expect.arrayContaining(named))
    }
  })

  test('keeps everything on volumes', async () => {
    const places = [...(await read(`${folder}/arriero.yaml`)).matchAll(/_path: (\S+)/g)].map(([, path]) => path)
    for (const path of places) expect(path).toMatch(/^\/srv\/arriero\//)
    for (const [, { volumes }] of commandsWith('--config')) expect(volumes).toContain('files:/srv/arriero')
  })
})

test('deploy/compose/nginx.conf sends to each that answers calls, by the certificate that it is given', async () => {
  const text = await read(`${folder}/nginx.conf`)
  const upstreams = [...text.matchAll(/^\s*server (\S+):8080;$/gm)].map(([, name]) => name)
  expect(upstreams).toEqual(commandsWith('api').map(([name]) => name))
  for (const [, secret] of text.matchAll(/\/run\/secrets\/(\w+)/g))
    expect(compose.services.proxy!.secrets).toContain(secret)
  for (const port of compose.services.proxy!.ports!) expect(text).toContain(`listen ${port.split(':')[1]}`)
})

test('make-secrets.sh makes every secret of the file, for the owner and the group alone, and changes none', async () => {
  const place = await mkdtemp(join(tmpdir(), 'arriero-secrets-'))
  try {
    await copyFile(pathOf(`${folder}/make-secrets.sh`), join(place, 'make-secrets.sh'))
    const make = () => promisify(execFile)('sh', [join(place, 'make-secrets.sh'), 'librarian.example.org'])
    await make()
    const contents = async () => {
      const names = (await readdir(join(place, 'secrets'))).sort()
      return Object.fromEntries(
        await Promise.all(names.map(async name => [name, await readFile(join(place, 'secrets', name), 'utf8')])),
      ) as Record<string, string>
    }
    const made = await contents()
    expect(Object.keys(made)).toEqual(Object.keys(compose.secrets).sort())
    for (const [name, text] of Object.entries(made)) {
      expect((await stat(join(place, 'secrets', name))).mode & 0o777, name).toBe(0o440)
      expect(text.trim().length, name).toBeGreaterThan(30)
    }
    expect(Buffer.from(made.encryption_key!, 'base64url')).toHaveLength(32)
    await make()
    expect(await contents()).toEqual(made)
  } finally {
    await rm(place, { recursive: true, force: true })
  }
})
