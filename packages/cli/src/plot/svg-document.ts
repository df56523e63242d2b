/**
 * As much of a document as Observable Plot needs to build an SVG outside a browser (docs/decisions/0014): elements with
 * attributes and children, and nothing that finds, listens or lays out. What is missing throws when it is called.
 */

const svgNamespace = 'http://www.w3.org/2000/svg'

export type SvgNode = SvgElement | SvgText

class SvgText {
  readonly textContent: string
  parentNode: SvgElement | null = null

  constructor(text: string) {
    this.textContent = text
  }
}

export class SvgElement {
  readonly ownerDocument: SvgDocument
  readonly namespaceURI: string
  readonly tagName: string
  readonly attributes = new Map<string, string>()
  readonly childNodes: SvgNode[] = []
  parentNode: SvgElement | null = null

  constructor(document: SvgDocument, namespace: string, name: string) {
    this.ownerDocument = document
    this.namespaceURI = namespace
    this.tagName = name
  }

  get firstChild(): SvgNode | null {
    return this.childNodes[0] ?? null
  }

  get style() {
    return { setProperty: (name: string, value: string) => this.#addStyle(`${name}: ${value}`) }
  }

  get textContent(): string {
    return this.childNodes.map(child => child.textContent).join('')
  }

  set textContent(text: string) {
    this.childNodes.length = 0
    this.append(text)
  }

  getAttribute(name: string): string | null {
    return this.attributes.get(name) ?? null
  }

  setAttribute(name: string, value: unknown): void {
    this.attributes.set(name, String(value))
  }

  setAttributeNS(namespace: string, name: string, value: unknown): void {
    this.setAttribute(namespace === 'http://www.w3.org/1999/xlink' ? `xlink:${name}` : name, value)
  }

  removeAttribute(name: string): void {
    this.attributes.delete(name)
  }

  append(...nodes: (SvgNode | string)[]): void {
    for (const node of nodes) this.appendChild(typeof node === 'object' ? node : new SvgText(String(node)))
  }

  appendChild(node: SvgNode): SvgNode {
    return this.insertBefore(node, null)
  }

  insertBefore(node: SvgNode, next: SvgNode | null): SvgNode {
    node.parentNode?.removeChild(node)
    const at = next === null ? this.childNodes.length : this.childNodes.indexOf(next)
    if (at < 0) throw new RangeError('Cannot insert before a node that is elsewhere')
    this.childNodes.splice(at, 0, node)
    node.parentNode = this
    return node
  }

  removeChild(node: SvgNode): SvgNode {
    const at = this.childNodes.indexOf(node)
    if (at < 0) throw new RangeError('Cannot remove a node that is elsewhere')
    this.childNodes.splice(at, 1)
    node.parentNode = null
    return node
  }

  #addStyle(declaration: string): void {
    const before = this.getAttribute('style')
    this.setAttribute('style', before === null ? declaration : `${before}; ${declaration}`)
  }
}

export class SvgDocument {
  /** New elements are made with the namespace of this one, or with their own. */
  readonly documentElement: { readonly ownerDocument: SvgDocument; readonly namespaceURI: string } = {
    ownerDocument: this,
    namespaceURI: 'http://www.w3.org/1999/xhtml',
  }

  createElement(name: string): SvgElement {
    return new SvgElement(this, this.documentElement.namespaceURI, name)
  }

  createElementNS(namespace: string, name: string): SvgElement {
    return new SvgElement(this, namespace, name)
  }

  createTextNode(text: string): SvgText {
    return new SvgText(text)
  }

  /** An SVG element with attributes and children, for what is drawn beside Plot's charts. */
  element(name: string, attributes: Readonly<Record<string, string | number>>, ...children: (SvgNode | string)[]) {
    const element = this.createElementNS(svgNamespace, name)
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
    element.append(...children)
    return element
  }
}

/** The node as XML that is well-formed alone and inside HTML. */
export function toXml(node: SvgNode): string {
  if (node instanceof SvgText) return escapeXml(node.textContent)
  const attributes = [...node.attributes].map(([name, value]) => ` ${name}="${escapeXml(value)}"`).join('')
  // No `<a/>`: HTML would take it for a start tag outside SVG.
  return `<${node.tagName}${attributes}>${node.childNodes.map(toXml).join('')}</${node.tagName}>`
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Characters that XML does not allow at all, not even escaped, become the replacement character. */
export function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"]/g, char => entities[char] as string)
}
