import type { Send } from './send.ts'

export const sendByXhr: Send = ({ method, url, headers, body, signal, onSent }) =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const xhr = new XMLHttpRequest()
    const abort = () => xhr.abort()
    xhr.open(method, url)
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value)
    if (onSent) xhr.upload.addEventListener('progress', ({ loaded }) => onSent(loaded))
    xhr.addEventListener('loadend', () => {
      signal.removeEventListener('abort', abort)
      if (signal.aborted) reject(signal.reason)
      else resolve({ status: xhr.status, text: xhr.responseText, header: name => xhr.getResponseHeader(name) })
    })
    signal.addEventListener('abort', abort, { once: true })
    xhr.send(body ?? null)
  })
