/** A store in a bucket: whether it can be had; one that was opened before looks at itself, by putting a trial object and removing it. */
import { openStore } from '../stores/open-store.ts'
import { openPlace } from '../stores/s3/open-place.ts'
import { speaking } from '../stores/s3/s3-error.ts'
import { s3StoreData } from '../stores/settings.ts'
import type { DeploymentFinding } from './finding.ts'
import type { LookedStore } from './stores.ts'

const check = 'store'
const mend = 'Check its endpoint, bucket, region and credentials, and that its scratch_path is there.'

export async function examineBucket(store: LookedStore): Promise<DeploymentFinding> {
  try {
    return store.uuid === undefined ? await examineNew(store) : await examineKnown(store)
  } catch (error) {
    const { message, name, remedy } = error as Error & { readonly remedy?: string }
    return { check, level: 'fail', found: `${store.name}: ${message || name}`, next: remedy ?? mend }
  }
}

/** Nothing is put into what is no store yet. */
async function examineNew(store: LookedStore): Promise<DeploymentFinding> {
  const data = s3StoreData.parse(store.data)
  const place = await openPlace(data)
  const { client, library, bucket } = place
  const list = new library.ListObjectsV2Command({ Bucket: bucket, Prefix: data.prefix, MaxKeys: 1 })
  try {
    await speaking(place, 'look into', `the bucket ${bucket}`, () => client.send(list))
    return {
      check,
      level: 'ok',
      found: `${store.name}: the bucket ${bucket} is there; the first start makes it a store`,
    }
  } finally {
    client.destroy()
  }
}

async function examineKnown(store: LookedStore): Promise<DeploymentFinding> {
  await using open = await openStore(store, { mayClaim: false })
  const state = await open.state()
  return state.available
    ? { check, level: 'ok', found: `${store.name}: its bucket is there` }
    : { check, level: 'fail', found: `${store.name}: ${state.reason}`, next: state.remedy ?? mend }
}
