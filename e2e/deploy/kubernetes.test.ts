import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import type { z } from 'zod'
import { pathOf, pinned, readDocuments, release } from './files.ts'
import {
  deployment,
  job,
  jsonPatch,
  type KubernetesObject,
  kustomization,
  objectSchema,
  type PodTemplate,
} from './kubernetes-schema.ts'
import { settingsOf } from './settings.ts'

const base = 'deploy/kubernetes/base'
const overlay = 'deploy/kubernetes/overlays/computing-centre'
const component = 'app.kubernetes.io/component'

let objects!: KubernetesObject[]
beforeAll(async () => {
  objects = []
  const { resources } = await kustomizationOf(base)
  for (const file of resources) {
    for (const each of await readDocuments(join(base, file))) objects.push(objectSchema.parse(each))
  }
})

async function kustomizationOf(folder: string): Promise<z.output<typeof kustomization>> {
  const [document] = await readDocuments(join(folder, 'kustomization.yaml'))
  return kustomization.parse(document)
}

const templates = (): [string, PodTemplate][] =>
  objects.flatMap(each => ('spec' in each && 'template' in each.spec ? [[each.metadata.name, each.spec.template]] : []))

describe('deploy/kubernetes/base', () => {
  test('has what answers calls, what works, what prepares, and what guards them', () => {
    expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort()).toEqual([
      'Deployment arriero-api',
      'Deployment arriero-worker',
      'Ingress arriero',
      'Job arriero-prepare',
      'NetworkPolicy arriero-api',
      'NetworkPolicy arriero-background',
      'PersistentVolumeClaim arriero-files',
      'PodDisruptionBudget arriero-api',
      'PodDisruptionBudget arriero-worker',
      'Service arriero',
      'ServiceAccount arriero',
    ])
  })

  test('selects pods that are there', () => {
    const known = templates().map(([, { metadata }]) => metadata.labels[component])
    for (const { kind, spec, metadata } of objects.flatMap(each => ('spec' in each ? [each] : []))) {
      const words = JSON.stringify(spec).matchAll(new RegExp(`"${component}":"(\\w+)"`, 'g'))
      for (const [, word] of words) expect(known, `${kind} ${metadata.name}`).toContain(word)
      if (kind === 'Deployment') expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels)
    }
  })

  test('mounts only volumes that the pod has, and nothing over each other', () => {
    for (const [name, { spec }] of templates()) {
      const volumes = spec.volumes.map(volume => volume.name)
      for (const { volumeMounts } of [...spec.containers, ...(spec.initContainers ?? [])]) {
        for (const mount of volumeMounts) expect(volumes, name).toContain(mount.name)
        expect(new Set(volumeMounts.map(({ mountPath }) => mountPath)).size).toBe(volumeMounts.length)
      }
    }
  })

  test('runs the image of this release', async () => {
    const { version } = await release()
    for (const [, { spec }] of templates()) {
      for (const { image } of [...spec.containers, ...(spec.initContainers ?? [])])
        expect(image).toBe(`arriero:${version}`)
    }
  })

  test.each(['arriero-api', 'arriero-worker'])('asks %s whether it lives and whether it is ready', wanted => {
    const found = deployment.parse(
      objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === wanted),
    )
    const [container] = found.spec.template.spec.containers
    expect(container!.livenessProbe!.httpGet.path).toBe('/health/live')
    expect(container!.readinessProbe!.httpGet.path).toBe('/health/ready')
    expect(container!.ports!.map(({ name }) => name)).toContain(container!.readinessProbe!.httpGet.port)
  })

  test('lets the ingress do what docs/manual/proxy.md demands', () => {
    const ingress = objects.find(({ kind }) => kind === 'Ingress')!
    const prefix = 'nginx.ingress.kubernetes.io/'
    expect(ingress.metadata.annotations).toMatchObject({
      [`${prefix}proxy-body-size`]: '0',
      [`${prefix}proxy-request-buffering`]: 'off',
      [`${prefix}proxy-buffering`]: 'off',
      [`${prefix}proxy-read-timeout`]: '1800',
      [`${prefix}proxy-send-timeout`]: '1800',
    })
  })

  test('has settings that can be used, on what is mounted', async () => {
    const { settings } = await settingsOf(`${base}/arriero.yaml`)
    expect(settings.warnings).toEqual([])
    expect(settings.addStores).toHaveLength(1)
  })
})

describe('deploy/kubernetes/overlays/computing-centre', () => {
  /** Each pod as the overlay makes it. */
  async function patched(): Promise<[string, PodTemplate][]> {
    const { patches = [] } = await kustomizationOf(overlay)
    const pods = objects
      .filter(({ kind }) => kind === 'Deployment' || kind === 'Job')
      .map(each => structuredClone(each))
    for (const { path, target } of patches) {
      if (!target) continue
      const [operations] = await readDocuments(join(overlay, path))
      for (const each of pods) if (each.kind === target.kind) apply(each, jsonPatch.parse(operations))
    }
    return pods.map(each => {
      const { spec } = each.kind === 'Job' ? job.parse(each) : deployment.parse(each)
      return [each.metadata.name, spec.template]
    })
  }

  test('has the directory at the same path inside and outside, and the stores below it', async () => {
    const [document] = (await readDocuments(`${overlay}/arriero.yaml`)) as [{ add_stores: { store_data: object }[] }]
    const paths = document.add_stores
      .flatMap(({ store_data }) => Object.values(store_data))
      .filter(each => /^\//.test(each))
    expect(paths).toHaveLength(2)
    for (const [name, { spec }] of await patched()) {
      const volume = spec.volumes.find(each => each.name === 'files')
      const mount = spec.containers[0]!.volumeMounts.find(each => each.name === 'files')!
      expect(volume, name).toMatchObject({ nfs: { path: mount.mountPath } })
      for (const path of paths) expect(path.startsWith(`${mount.mountPath}/`), `${name}: ${path}`).toBe(true)
    }
  })

  test('runs every pod as the account to which the directory belongs', async () => {
    const ids = (await patched()).map(([, { spec }]) => {
      const { runAsUser, runAsGroup, fsGroup } = spec.securityContext
      return [runAsUser, runAsGroup, fsGroup]
    })
    expect(ids).toHaveLength(3)
    for (const each of ids) expect(each).toEqual(ids[0])
    expect(ids[0]![0]).not.toBe(10001)
  })

  test('has settings that can be used, and an image by tag', async () => {
    const { settings } = await settingsOf(`${overlay}/arriero.yaml`)
    expect(settings.warnings).toEqual([])
    const { images = [] } = await kustomizationOf(overlay)
    for (const { newName, newTag } of images) expect(`${newName}:${newTag}`).toMatch(pinned)
    expect(images[0]).toMatchObject({ name: 'arriero', newTag: (await release()).version })
  })

  test('is what kustomize makes of it', async () => {
    const made = await promisify(execFile)('kubectl', ['kustomize', pathOf(overlay)]).catch(
      (error: NodeJS.ErrnoException) => error,
    )
    if ('code' in made && made.code === 'ENOENT') return console.log('NOT RUN kustomize: kubectl is not installed')
    if (made instanceof Error) throw made
    const documents = parseAllDocuments(made.stdout).map(document => document.toJS() as { kind: string })
    const parsed = documents.filter(({ kind }) => kind !== 'ConfigMap').map(each => objectSchema.parse(each))
    expect(parsed.map(({ kind }) => kind)).not.toContain('PersistentVolumeClaim')
    const pods = parsed.filter(({ kind }) => kind === 'Deployment' || kind === 'Job')
    expect(pods).toHaveLength(3)
    for (const each of pods) {
      expect(JSON.stringify(each)).toContain('"image":"registry.example.org/project/arriero:')
      expect(JSON.stringify(each)).toContain('"nfs":{')
    }
  })
})

/** Of JSON Patch what the overlay uses. */
function apply(object: unknown, operations: z.output<typeof jsonPatch>): void {
  for (const operation of operations) {
    const path = operation.path.split('/').slice(1)
    const last = path.pop()!
    let at = object as Record<string, unknown>
    for (const key of path) {
      expect(at, operation.path).toHaveProperty([key])
      at = at[key] as Record<string, unknown>
    }
    expect(at, operation.path).toHaveProperty([last])
    if (operation.op === 'test') expect(at[last]).toEqual(operation.value)
    else if (operation.op === 'remove') delete at[last]
    else at[last] = operation.value
  }
}
