import { type AnswerOf, bytesUrl, type endpoints, type HttpProvider } from '@arriero/api'

type Providers = AnswerOf<typeof endpoints.upload.stage>['transfer_providers']

/** Where a librarian wants the bytes of an upload by tus. */
export function tusAddress(url: string, providers: Providers): string {
  const tus = Object.values(providers).find(isTus)
  if (!tus) throw new Error('the librarian offers no tus upload')
  return bytesUrl(url, tus)
}

function isTus(provider: object): provider is HttpProvider {
  return 'protocol' in provider && provider.protocol === 'tus'
}
