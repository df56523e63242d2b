/** The part of Kubernetes' objects that we use, and nothing beyond; and what we demand of every pod. */
import { z } from 'zod'
import { pinned } from './files.ts'

const name = z.string().regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/)
const labels = z.record(z.string(), z.string())
const metadata = z.strictObject({ name, annotations: labels.optional(), labels: labels.optional() })
const selector = z.strictObject({ matchLabels: labels })
const quantities = z.strictObject({ cpu: z.string(), memory: z.string() })
const amount = z.int().positive()

const probe = z.strictObject({
  httpGet: z.strictObject({ path: z.enum(['/health/live', '/health/ready']), port: z.string() }),
  periodSeconds: amount,
  timeoutSeconds: amount.optional(),
  failureThreshold: amount.optional(),
})

const container = z.strictObject({
  name,
  image: z.string().regex(pinned),
  args: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  ports: z.array(z.strictObject({ name, containerPort: amount })).optional(),
  startupProbe: probe.optional(),
  livenessProbe: probe.optional(),
  readinessProbe: probe.optional(),
  lifecycle: z
    .strictObject({ preStop: z.strictObject({ exec: z.strictObject({ command: z.array(z.string()) }) }) })
    .optional(),
  resources: z.strictObject({ requests: quantities, limits: quantities }),
  securityContext: z.strictObject({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
  }),
  volumeMounts: z.array(
    z.strictObject({ name, mountPath: z.string().startsWith('/'), readOnly: z.boolean().optional() }),
  ),
})

/** Private to the pod's own group. */
const secretVolume = z.strictObject({
  secretName: name,
  defaultMode: z.literal(0o440),
  items: z.array(z.strictObject({ key: z.string(), path: z.string() })).optional(),
})

const volume = z.union([
  z.strictObject({ name, configMap: z.strictObject({ name }) }),
  z.strictObject({ name, secret: secretVolume }),
  z.strictObject({ name, persistentVolumeClaim: z.strictObject({ claimName: name }) }),
  z.strictObject({ name, emptyDir: z.strictObject({ sizeLimit: z.string() }) }),
  z.strictObject({ name, nfs: z.strictObject({ server: z.string(), path: z.string().startsWith('/') }) }),
])

const podSpec = z.strictObject({
  serviceAccountName: name,
  automountServiceAccountToken: z.literal(false),
  enableServiceLinks: z.literal(false),
  restartPolicy: z.literal('Never').optional(),
  securityContext: z.strictObject({
    runAsNonRoot: z.literal(true),
    runAsUser: amount,
    runAsGroup: amount,
    fsGroup: amount,
    fsGroupChangePolicy: z.literal('OnRootMismatch'),
    seccompProfile: z.strictObject({ type: z.literal('RuntimeDefault') }),
  }),
  terminationGracePeriodSeconds: z.int().min(45).optional(),
  topologySpreadConstraints: z
    .array(
      z.strictObject({
        maxSkew: amount,
        topologyKey: z.string(),
        whenUnsatisfiable: z.enum(['ScheduleAnyway', 'DoNotSchedule']),
        labelSelector: selector,
      }),
    )
    .optional(),
  initContainers: z.array(container).optional(),
  containers: z.array(container).length(1),
  volumes: z.array(volume),
})

const template = z.strictObject({ metadata: z.strictObject({ labels }), spec: podSpec })

export const deployment = z.strictObject({
  apiVersion: z.literal('apps/v1'),
  kind: z.literal('Deployment'),
  metadata,
  spec: z.strictObject({
    replicas: amount,
    selector,
    strategy: z
      .strictObject({ rollingUpdate: z.strictObject({ maxUnavailable: amount, maxSurge: z.int() }) })
      .optional(),
    template,
  }),
})

export const job = z.strictObject({
  apiVersion: z.literal('batch/v1'),
  kind: z.literal('Job'),
  metadata,
  spec: z.strictObject({ backoffLimit: amount, ttlSecondsAfterFinished: amount, template }),
})

const service = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Service'),
  metadata,
  spec: z.strictObject({
    selector: labels,
    ports: z.array(z.strictObject({ name, port: amount, targetPort: z.string() })),
  }),
})

const claim = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('PersistentVolumeClaim'),
  metadata,
  spec: z.strictObject({
    accessModes: z.tuple([z.literal('ReadWriteMany')]),
    resources: z.strictObject({ requests: z.strictObject({ storage: z.string() }) }),
  }),
})

const account = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('ServiceAccount'),
  metadata,
  automountServiceAccountToken: z.literal(false),
})

const backend = z.strictObject({ service: z.strictObject({ name, port: z.strictObject({ name }) }) })
const path = z.strictObject({ path: z.string().startsWith('/'), pathType: z.literal('Prefix'), backend })
const ingress = z.strictObject({
  apiVersion: z.literal('networking.k8s.io/v1'),
  kind: z.literal('Ingress'),
  metadata,
  spec: z.strictObject({
    ingressClassName: z.string(),
    tls: z.array(z.strictObject({ hosts: z.array(z.string()), secretName: name })).min(1),
    rules: z.array(z.strictObject({ host: z.string(), http: z.strictObject({ paths: z.array(path) }) })),
  }),
})

const expression = z.strictObject({ key: z.string(), operator: z.literal('In'), values: z.array(z.string()) })
const policy = z.strictObject({
  apiVersion: z.literal('networking.k8s.io/v1'),
  kind: z.literal('NetworkPolicy'),
  metadata,
  spec: z.strictObject({
    podSelector: z.union([selector, z.strictObject({ matchExpressions: z.array(expression) })]),
    policyTypes: z.tuple([z.literal('Ingress')]),
    ingress: z.array(
      z.strictObject({
        from: z.array(z.strictObject({ namespaceSelector: selector })),
        ports: z.array(z.strictObject({ port: z.string() })),
      }),
    ),
  }),
})

const budget = z.strictObject({
  apiVersion: z.literal('policy/v1'),
  kind: z.literal('PodDisruptionBudget'),
  metadata,
  spec: z.strictObject({ minAvailable: amount.optional(), maxUnavailable: amount.optional(), selector }),
})

export const objectSchema = z.discriminatedUnion('kind', [
  deployment,
  job,
  service,
  claim,
  account,
  ingress,
  policy,
  budget,
])

export type KubernetesObject = z.output<typeof objectSchema>
export type PodTemplate = z.output<typeof template>

export const kustomization = z.strictObject({
  apiVersion: z.literal('kustomize.config.k8s.io/v1beta1'),
  kind: z.literal('Kustomization'),
  resources: z.array(z.string()),
  configMapGenerator: z.array(
    z.strictObject({ name, behavior: z.enum(['create', 'replace']).optional(), files: z.array(z.string()) }),
  ),
  images: z.array(z.strictObject({ name: z.string(), newName: z.string().optional(), newTag: z.string() })).optional(),
  labels: z
    .array(z.strictObject({ includeSelectors: z.boolean(), includeTemplates: z.boolean(), pairs: labels }))
    .optional(),
  patches: z
    .array(z.strictObject({ path: z.string(), target: z.strictObject({ kind: z.string() }).optional() }))
    .optional(),
})

export const jsonPatch = z.array(
  z.discriminatedUnion('op', [
    z.strictObject({ op: z.literal('replace'), path: z.string(), value: z.unknown() }),
    z.strictObject({ op: z.literal('test'), path: z.string(), value: z.unknown() }),
    z.strictObject({ op: z.literal('remove'), path: z.string() }),
  ]),
)
