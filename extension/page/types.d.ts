/** The names that the page scripts share, for the type checker alone: nothing loads this file. */

type BproxyTarget = { selector: string } | { route: { hosts: { selector: string; index?: number }[]; target: string } };

type BproxyNamer = (element: Element) => BproxyTarget;

interface BproxyPage {
  [name: string]: any;
  version: string;
  commands: Record<string, (params: any) => any>;
  /** What one command has found out about the page and may use again; emptied before the next. */
  seen: Map<unknown, any>;
  /** What became of the last act, as far as it can be seen now. */
  after: (() => Record<string, unknown>) | null;
  /** What a person has to do here, found out by a command that could not say so: the next one does, once. */
  untold: string | null;
  /** Runs a command: its result with the page's state, or the failure as data. */
  invoke(command: string, params: any): unknown;
  result(data: unknown): unknown;
  failed(error: any): unknown;
  info(): { url: string; title: string; state: string; busy: boolean };
  fail(code: string, message: string, details?: Record<string, unknown>): never;
  /** What a person has to do before the page goes on, or null. */
  wall(): string | null;
  judge(seen: {
    host: string;
    path: string;
    title: string;
    text: number;
    mark: boolean;
    content: boolean;
  }): string | null;
  query(selector: string, root?: Document | ShadowRoot): Element[];
  resolve(target: BproxyTarget): Element;
  scopes(selector: string | undefined): Element[];
  findAll(root: Element | ShadowRoot, selector: string): Element[];
  /** What an element says of itself, whatever the fields of a form are named. */
  own: {
    id(element: Element): string;
    attributes(element: Element): NamedNodeMap;
    children(node: Node): HTMLCollection;
    childNodes(node: Node): NodeListOf<ChildNode>;
    parentNode(node: Node): Node | null;
    parentElement(node: Node): Element | null;
    textContent(element: Element): string;
  };
  children(node: Node): Node[];
  parent(node: Node): Node | null;
  rendered(element: Element): boolean;
  visible(element: Element): boolean;
  disabled(element: Element): boolean;
  collapse(text: string): string;
  shorten(text: string, length: number): string;
  describe(element: Element): string;
  namer(): BproxyNamer;
  role(element: Element): string;
  ownName(element: Element): string;
  accessibleName(element: Element): string;
  valueOf(element: Element): string | undefined;
  states(element: Element): string[];
  isEditingHost(element: Element): boolean;
  editor(element: Element): string | undefined;
  headingLevel(element: Element): number;
}

declare var bproxy: BproxyPage;
