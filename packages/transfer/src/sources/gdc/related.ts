import { abortable } from '../../abortable.ts'
import type { Gdc, GdcFile } from '../../commons/gdc.ts'
import { TransferError } from '../../errors.ts'
import type { Listed, ListRequest } from '../../source.ts'

/** The index and metadata files of a file, in one batch, none for a file that has none (gen3 6.5). */
export async function* listRelated(
  id: string,
  gdc: Gdc,
  { prefix = '', signal }: ListRequest,
): AsyncGenerator<readonly Listed[]> {
  const { related } = await abortable(gdc.file(id), signal)
  const others = [...new Set(related)]
  const files = await abortable(Promise.all(others.map(other => fileOf(other, gdc))), signal)
  const listed = files.map((file, index) => listedAs(others[index] as string, file))
  const wanted = listed.filter(({ path }) => path.startsWith(prefix))
  if (wanted.length > 0) yield wanted
}

function listedAs(id: string, file: GdcFile | undefined): Listed {
  const { name = id, size, checksums = [] } = file?.object ?? {}
  const offered = checksums.map(checksum => ({ ...checksum, coverage: 'object', origin: 'the commons' }) as const)
  return { uri: `gdc:${id}`, path: name, size, checksums: offered }
}

/** One that the GDC names and does not have is listed all the same: fetching it will tell. */
function fileOf(id: string, gdc: Gdc): Promise<GdcFile | undefined> {
  return gdc.file(id).catch(error => {
    if (error instanceof TransferError && error.code === 'NotFound') return undefined
    throw error
  })
}
