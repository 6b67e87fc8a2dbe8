/**
 * What the page scripts share and what the worker calls of them, for the type checker alone: nothing loads this file.
 * Both sides of a call are checked against `PageCommands`.
 */

type BproxyTarget = import('../contract.js').Target;
type BproxyField = import('../contract.js').Field;
/** A way to fill a field. */
type BproxyWay = 'direct' | 'paste' | 'runtime-api';

/** Reads that have a function of their own in actions/index.js. */
type WorkerRead = 'screenshot' | 'wait' | 'frames' | 'debug.log' | 'snapshot';

/** Actions that consist of the page command of their own name. Their parameters and data are in the contract. */
type PageRead = Exclude<import('../contract.js').RepeatableAction, WorkerRead>;

/** Every page command: its parameters and data. */
type PageCommands = {
  [Name in PageRead]: {
    params: Name extends 'find' ? BproxyFinding : import('../contract.js').ParamsOf[Name];
    data: import('../contract.js').DataOf[Name];
  };
} & {
  info: { params: NoParams; data: { status: number | undefined; hidden: boolean } };
  /** Goes through the page's history; `possible` is false where there is nothing to go to. */
  go: { params: { by: -1 | 1 }; data: { possible: boolean } };
  /** The whole tree, as it is now. */
  snapshot: {
    /** `reading`: the command that has read the same before; an answer without a tree says that it would tell the same. */
    params: Omit<import('../contract.js').SnapshotParams, 'since'> & { reading?: string };
    data: { tree?: string; nodeCount: number; handles?: number[]; truncated?: boolean };
  };
  /** What a wait looks for. `matching`: the more, the more `there` has to say. */
  condition: {
    params: {
      strategy: 'selector' | 'gone' | 'enabled' | 'text' | 'text-gone' | 'stable' | 'idle';
      target: string;
      frame?: string;
    };
    data: { met: boolean; matching: number; there: string };
  };
  /** Which frame of its parent a document is in: -1 where that cannot be known. */
  where: { params: NoParams; data: { index: number; slot: number; name: string; width: number; height: number } };
  /** Gives numbers to elements that the read before has listed; 0 for none. */
  number: {
    params: { token: string; picks: { place: number; n: number }[] };
    data: { numbers: number[] };
  };
  /** Scrolls an element into view, within its document; gives a point of it. */
  approach: { params: { target?: BproxyTarget }; data: { at: { x: number; y: number } } };
  /** Scrolls a frame into view until a point in it can be reached; gives that as one of this document. */
  through: {
    params: { slot: number; index: number; at: { x: number; y: number } };
    data: { at: { x: number; y: number } };
  };
  /** A sign-in page in place of the one that was asked for; with `defer` the next command in the page reports it. */
  'sign-in-interstitial': { params: { asked: string; defer: boolean }; data: { reason: string | null } };
  /** The page's current state; two equal samples mean that it has settled. */
  settle: {
    /** The document that the act was done in: no other tells what came of it. */
    params: { actedIn: string | undefined };
    /** `rested`: nothing is under way; `leaving`: the document is about to be left. */
    data: { signature: string; rested: boolean; leaving: boolean; after: ActAfter[PageAct] | null; seen: PageSeen };
  };

  click: { params: import('../contract.js').ClickParams; data: NoData };
  hover: { params: import('../contract.js').HoverParams; data: NoData };
  /** `transfer`: the name of the events of `lendEffects`. */
  drag: { params: import('../contract.js').DragParams & { transfer: string }; data: NoData };
  'select-text': { params: import('../contract.js').SelectTextParams; data: NoData };
  scroll: {
    params: import('../contract.js').ScrollParams;
    data: { target: 'viewport' | 'element'; before: number };
  };
  /** `selected`: what was seen at the press itself. */
  select: { params: import('../contract.js').SelectParams; data: { opened: boolean; selected: boolean } };
  /** `uploaded`: what the page was given. `token`: by which it asks for the files; `transfer`: the name of the events of `lendEffects`. */
  upload: {
    params: { target: BproxyTarget; files: PageFile[]; drop?: boolean; token: string; transfer: string };
    data: { uploaded: PageUploaded[] };
  };
  choose: { params: { optionText: string }; data: { selected: boolean } };
  'search-option': { params: { optionText: string }; data: { searched: boolean } };
  /** Null: the option is not there, and what was searched for is taken out of the field again. */
  'close-list': { params: { optionText: string | null; by: 'key' | 'press' }; data: NoData };
  /** Down, and what the browser does in response. `clipboard`: the session's. `typing`: as part of a text. */
  press: {
    params: { key: string; target?: BproxyTarget; clipboard: string | undefined; typing?: boolean; firm?: boolean };
    data: { clipboard?: string; passed?: PagePassed } & PageElsewhere;
  };
  /** Up again. */
  release: { params: { key: string; firm?: boolean }; data: PageElsewhere };
  /** The focus comes into the document by Tab: out of the frame in this slot, or from outside. */
  'tab-into': { params: { backward: boolean; slot?: number }; data: { passed?: PagePassed } };
  /** `multiline`: a line break is part of the text, and not a key that submits. */
  'begin-typing': {
    params: { target: BproxyTarget | undefined; replace: boolean; private: boolean; firm?: boolean };
    data: { multiline?: boolean } & PageElsewhere;
  };
  /** `typed`: how much of it, in UTF-16 units. `up`: the last key, which comes up in the frame that has the focus since. */
  'type-keys': { params: { text: string; firm?: boolean }; data: { typed?: number; up?: string } & PageElsewhere };
  /** At once, as one change. */
  'type-block': { params: { text: string; firm?: boolean }; data: PageElsewhere };
  /** `isForm`: a field that fails is named by its place. `each`: how each field can be filled, the best way first. */
  'check-fields': { params: { fields: BproxyField[]; isForm: boolean }; data: { each: BproxyWay[][] } };
  /** `took`: whether the field held the value before it was left. `place`: in a form, for `look-again`. */
  fill: { params: BproxyField & { place?: number }; data: { took: boolean } };
  /** `each`: what each field of the form holds now, by its place; null if that was not written here. */
  'look-again': {
    params: { fields: (BproxyField & { place: number })[] };
    data: { each: (ActAfter['fill'] | null)[] };
  };
  /** How wide the window is, in CSS pixels. */
  'picture-window': { params: NoParams; data: { width: number } };
  /** A picture of the whole page, or of an element, begins: its size in CSS pixels, in how many steps it is shown. */
  'picture-begin': {
    params: { target?: BproxyTarget; fullPage?: boolean };
    data: { width: number; height: number; steps: number; capped: boolean };
  };
  /** Scrolls to a part of it, and says where that is in the window, which is `width` wide. */
  'picture-show': { params: { step: number }; data: { parts: import('../picture.js').Part[]; width: number } };
  /** What can be acted on in the window, in its CSS pixels; not what is covered. */
  marks: {
    params: NoParams;
    data: { marks: { x: number; y: number; width: number; height: number; n?: number }[]; total: number };
  };
  'hand-over': {
    /** `event`, `answer`: the names of the events of `awaitEditor`; `reads`: nothing is written. */
    params: { target: BproxyTarget; event: string; answer: string; reads: boolean; private?: boolean };
    data: { outcome: string | null; isSecret: boolean };
  };
};

/** What `find` takes besides its own: `near`: names come with nothing found; `numbered`: elements get numbers. */
type BproxyFinding = import('../contract.js').FindParams & { near?: boolean; numbered?: boolean };

/** A file that a page is to get. */
type PageFile = { name: string; bytes: number; type: string };
/** A file that a page has got. */
type PageUploaded = { name: string; bytes: number };

/** Why a document does nothing with keys: a frame in it has the focus, or nothing in it has. */
type PageElsewhere = { inside?: number; lost?: boolean };
/** Tab leads into the frame in this slot, or out of the document. */
type PagePassed = { slot?: number };

type NoParams = Record<string, never>;
type NoData = Record<string, never>;

type PageAct = keyof ActAfter;

/** What every command is told, besides its parameters. */
interface PageOrder {
  /** The session that it is for. */
  session?: string;
  /** Nothing is done from then on (unix ms): a page that hangs may run the command too late. */
  until?: number;
  /** The mark of the document that is meant: nothing is done in another one. */
  document?: string;
  /** The act that it is part of: drawn for each. */
  act?: string;
  /** Its answer says what a field or a list holds: what a server makes of that is waited for. */
  holds?: boolean;
  /** The command, as far as it numbers elements: drawn each time that it is carried out. */
  reading?: string;
  /** The first of the numbers that may be given to elements, and to links; absent: none may. */
  el?: number;
  ln?: number;
  /** How many numbers of each kind may be given; none if absent. */
  room?: number;
}

/** The frames of a document during one command. */
interface BproxyFraming {
  /** Drawn for the command, so that no page can write the marks that hold it. */
  token: string;
  slots: Map<Element, number>;
  holes: { list: string; slot: number; at: number }[];
  /** The elements that the answer names, to be numbered later. */
  listed: { kind: 'el' | 'ln'; element: Element; facts: BproxyFacts }[];
  missed: string | null;
}

/** What a look at the page tells of what an act has caused. */
interface PageSeen {
  /** Nobody sees the page: it is not drawn. */
  hidden?: boolean;
  /** It waits for being drawn. */
  waits?: boolean;
  /** Its address is another one. */
  moved?: boolean;
  /** The addresses that it asked to download. */
  asked?: string[];
  /** The address of the frame that was acted in, if that went elsewhere. */
  went?: string;
  /**
   * What has the focus now, if it is something else; `n` is its number, which the daemon makes a handle of. `inside`: it is
   * a frame, in whose page something may have it.
   */
  focus?: { role: string; name: string; n?: number; inside?: number };
  /** How far it was scrolled, in CSS pixels. */
  scrolled?: number;
  /** What it wanted, and only a person's own hand allows. */
  blocked?: string[];
}

/** What tells an element from another thing. */
type BproxyFacts = { role: string; name: string; type?: string; origin?: string };

/** The elements that a session knows. */
interface BproxyKnown {
  numbers: { el: WeakMap<Element, number>; ln: WeakMap<Element, number> };
  /** By handle. */
  elements: Map<string, WeakRef<Element>>;
  facts: WeakMap<Element, BproxyFacts>;
  dropped: FinalizationRegistry<string>;
  /** The command that gave numbers last, and the handles of those that nobody was told of yet. */
  reading: string | undefined;
  untold: Set<string>;
}

/** What each act reports after the page has settled. */
interface ActAfter {
  click: { disappeared: boolean };
  hover: NoData;
  drag: NoData;
  'select-text': { selected: string };
  scroll: { position: number; scrollHeight: number; clientHeight: number };
  /** `open`: the list is open still. */
  select: { selected: boolean; optionText: string; open: boolean };
  choose: { selected: boolean; optionText: string; open: boolean };
  'search-option': never;
  'close-list': never;
  upload: { uploaded: PageUploaded[] };
  press: NoData;
  release: never;
  /** What the field holds; nothing if it is secret, or no field. */
  'begin-typing': { value?: string };
  'type-keys': { value?: string };
  'type-block': { value?: string };
  'check-fields': never;
  /** `choices`: it went back to what it held, because it takes only what its list offers. `gone`: the field is gone. `editor`: it
   * belongs to a rich editor. `untouched`: it holds what it held before. */
  fill: {
    filled: boolean;
    verifiedValue?: string;
    choices: boolean;
    gone: boolean;
    editor: boolean;
    untouched: boolean;
  };
  'hand-over': never;
  'look-again': never;
}

type PageCommandName = keyof PageCommands;
type PageParams<Name extends PageCommandName> = PageCommands[Name]['params'];
type PageData<Name extends PageCommandName> = PageCommands[Name]['data'];
type PageResult<Name extends PageCommandName> = {
  data: PageData<Name>;
  page: import('../protocol.js').Page;
  /** Told by documents with frames, and by frames. */
  frames?: import('../frame-reads.js').Framing;
  /** Elements of this document got numbers. */
  numbered?: true;
  /** Of an act in a frame: where that is in the window. */
  shift?: { x: number; y: number };
};
type PageError = {
  error: {
    code: import('../protocol.js').ErrorCode;
    message: string;
    details?: Record<string, unknown>;
    suggestedAction?: string;
  };
  numbered?: true;
};
/** `left`: the document was left meanwhile. */
type PageOutcome<Name extends PageCommandName> = PageResult<Name> | PageError | { left: true };

/** A target that names an element that was found. */
type FoundTarget = Extract<BproxyTarget, { selector: string } | { route: unknown }>;
type BproxyNamer = (element: Element) => FoundTarget;
type PagePoint = { clientX: number; clientY: number };
/** A place in an element's box: 0 is its left or top edge, 1 the right or bottom one. */
type BproxySpot = import('../contract.js').Spot;

/** The mouse during an act. Each event goes to what has captured the pointer, else to what is under it. */
interface BproxyMouse {
  /** Moves; false if the page prevented what the browser does by itself. */
  move(hit: Element, at: PagePoint): boolean;
  /** Presses a button, for the `detail`th time in a row; false if the page prevented what the browser does by itself. */
  down(hit: Element, at: PagePoint, button: number, detail: number): boolean;
  /**
   * Releases it; what was pressed and released, if anything is left of it. `react`: what the browser does by itself before
   * the pointer is free again.
   */
  up(hit: Element, at: PagePoint, detail: number, react?: () => void): Element | null;
  /** Clicks, with the button that was pressed. */
  activate(on: Element, at: PagePoint, detail: number): void;
  /** Asks for the context menu. */
  menu(on: Element, at: PagePoint): void;
  /** The browser takes the pointer away, for a drag of its own. */
  cancel(): void;
  /** The pointer is back, after such a drag. */
  rest(hit: Element, at: PagePoint): void;
  /** What an event of the mouse has at a place. */
  init(at: PagePoint): PointerEventInit;
}

/** What the browser itself moves during a drag. */
interface BproxyNativeDrag {
  /** Whether a press there gives the focus, as on any other part of the page. */
  focuses: boolean;
  /** It begins before the focus moves. */
  actsFirst?: boolean;
  /** The release of the button does not tell how many there were. */
  countsNot?: boolean;
  begin(at: PagePoint): void;
  move(at: PagePoint): void;
  end(): void;
}

/** A drag that may end in a drop. */
interface BproxyDrop {
  /** It is over an element, or over none. */
  over(hit: Element | null, at: PagePoint): void;
  /** It is dropped there. */
  end(hit: Element | null, at: PagePoint): void;
}

/** The effects of a drag. Each `send` gives whether the page handled the event. */
interface BproxyTransfer {
  /** Its effects are those of this one too, which is what the page is given from now on. */
  lend(data: DataTransfer): void;
  /** Whether the page has looked for what the last one holds. */
  readonly looked: boolean;
  /** Whether the page prevents the drag. */
  starts(send: () => boolean): boolean;
  source(send: () => void): void;
  over(send: () => boolean): boolean;
  leaves(send: () => void): void;
  drops(send: () => boolean): boolean;
  ends(send: () => void): void;
  /** What a drop would do now. */
  effect: string;
}

type BproxyCaret = { node: Node; offset: number };

/** A key, as its events name it. `text`: what it prints, with the modifiers that are held. */
interface PageKey {
  key: string;
  code: string;
  keyCode: number;
  location: number;
  text: string;
}
/** A key, with the modifiers that are held when it goes down. */
type PageStroke = PageKey & { held: PageKey[] };
type PageModifiers = Record<'altKey' | 'ctrlKey' | 'metaKey' | 'shiftKey', boolean>;

/** Chromium's, which the type checker does not know. */
interface HTMLDialogElement {
  requestClose(returnValue?: string): void;
}

/** Chromium's, which the type checker does not know. */
interface CSSStyleDeclaration {
  webkitTextSecurity: string;
}

type Getters<Of, Name extends keyof Of> = { [Key in Name]: (of: Of) => Of[Key] };
type Methods<Of, Name extends keyof Of> = {
  [Key in Name]: Of[Key] extends (...args: infer Args) => infer Result ? (of: Of, ...args: Args) => Result : never;
};

/** The members of the DOM's interfaces as functions of the node: a page may take their place on the node itself. */
interface BproxyOwn
  extends Methods<EventTarget, 'addEventListener' | 'dispatchEvent' | 'removeEventListener'>,
    Getters<
      Node,
      | 'baseURI'
      | 'childNodes'
      | 'firstChild'
      | 'isConnected'
      | 'nextSibling'
      | 'nodeType'
      | 'parentElement'
      | 'parentNode'
    >,
    Methods<Node, 'cloneNode' | 'compareDocumentPosition' | 'contains' | 'getRootNode' | 'hasChildNodes'>,
    Methods<HTMLFormElement, 'requestSubmit' | 'submit'>,
    Getters<
      Element,
      | 'attributes'
      | 'childElementCount'
      | 'clientHeight'
      | 'clientLeft'
      | 'clientTop'
      | 'clientWidth'
      | 'id'
      | 'localName'
      | 'nextElementSibling'
      | 'previousElementSibling'
      | 'scrollHeight'
      | 'scrollLeft'
      | 'scrollTop'
      | 'scrollWidth'
      | 'shadowRoot'
    >,
    Methods<
      Element,
      | 'animate'
      | 'checkVisibility'
      | 'closest'
      | 'getAttribute'
      | 'getAttributeNames'
      | 'getBoundingClientRect'
      | 'getClientRects'
      | 'hasAttribute'
      | 'matches'
      | 'scrollIntoView'
    >,
    Getters<
      HTMLElement,
      'contentEditable' | 'innerText' | 'isContentEditable' | 'offsetHeight' | 'offsetWidth' | 'style'
    >,
    Methods<HTMLElement, 'blur' | 'click' | 'focus'>,
    Getters<
      Document,
      | 'body'
      | 'compatMode'
      | 'contentType'
      | 'documentElement'
      | 'readyState'
      | 'scrollingElement'
      | 'title'
      | 'visibilityState'
    >,
    Methods<
      Document,
      | 'caretPositionFromPoint'
      | 'createElement'
      | 'createRange'
      | 'createTreeWalker'
      | 'execCommand'
      | 'getElementsByTagName'
      | 'hasFocus'
      | 'queryCommandEnabled'
    >,
    Getters<ParentNode, 'children'>,
    Methods<ParentNode, 'append' | 'querySelector' | 'querySelectorAll' | 'replaceChildren'>,
    Getters<DocumentOrShadowRoot, 'activeElement' | 'adoptedStyleSheets' | 'styleSheets'>,
    Methods<DocumentOrShadowRoot, 'elementFromPoint' | 'getAnimations'>,
    Methods<NonElementParentNode, 'getElementById'> {
  textContent(of: Node): string;
  assignedSlot(of: Element | Text): HTMLSlotElement | null;
  /** The shadow root, asked for anew if none is known. */
  anyShadowRoot(of: Element): ShadowRoot | null;
  /** The window of a frame; null for what is none. */
  contentWindow(of: Element): Window | null;
  scrollBy(of: Element, by: ScrollToOptions): void;
  createEvent(of: Document, kind: 'TextEvent'): TextEvent & { initTextEvent(...args: unknown[]): void };
}

/** Elements whose style may hide text. */
interface BproxySuspects {
  /** By other than colours. */
  hiding: Set<Element>;
  /** By their colour, or by that of what is behind them. */
  shaded: Set<Element>;
  /** Those that may lie over others. */
  placed: Set<Element>;
  /** What may be drawn over others though it is in the flow. */
  shifted: Set<Element>;
  /** What has a first line of its own. */
  lined: Set<Element>;
  /** Whether anything may be drawn beyond the page. */
  moves: boolean;
  /** Whether parts that a style adds to an element may lie over it. */
  paints: boolean;
  /** Whether the browser may not have laid out a part of the page yet. */
  skips: boolean;
  /** What has words that a style sheet adds; null if that is not known. */
  writing: Set<Element> | null;
  /** What may have a hand as its cursor; null if that is not known. */
  pointed: Set<Element> | null;
  /** Whether a style sheet writes words in other letters. */
  recases: boolean;
  /** It cannot be told: every element is one. */
  all: boolean;
}

/** What a read has looked at: elements with whether each is drawn, and fields. */
interface BproxySeen {
  elements: Element[];
  drawn: boolean[];
  fields: Element[];
}

/** A line of a snapshot. */
interface BproxyNode {
  /** `text` for words that stand by themselves. */
  role: string;
  name: string;
  element: Element | null;
  /** It can be acted on. */
  acts: boolean;
  /** What a person sees, if the name contradicts that. */
  shown: string | null;
  states: string[];
  value: string;
  below: BproxyNode[];
  /** How many lines there are below it, at all depths. */
  lines: number;
  /** Which of the frames it is; -1 if it is none. */
  slot: number;
  /** How many of the lines directly below it are told; all if that was not decided. */
  told?: number;
}

/** The namespace that the page scripts share in the isolated world. Each member is set by the script named. */
interface BproxyPage {
  // commands.js
  version: string;
  /** Whether all page scripts are there, and not only those that say what the page is. */
  isWhole: boolean;
  commands: { [Name in PageCommandName]: (params: PageParams<Name>) => PageData<Name> | Promise<PageData<Name>> };
  /** Runs a command: its result with the page's state, or the failure as data. */
  invoke<Name extends PageCommandName>(
    command: Name,
    params: PageParams<Name>,
    order?: PageOrder,
  ): PageOutcome<Name> | Promise<PageOutcome<Name>>;
  info(): import('../protocol.js').Page;
  /** `suggestedAction`: the command line that helps, without the session; else that of the code. */
  fail(
    code: import('../protocol.js').ErrorCode,
    message: string,
    details?: Record<string, unknown>,
    suggestedAction?: string,
  ): never;
  /** The order of the command that runs; one that awaits keeps its own. */
  order: PageOrder;
  /** A name that no page can know. */
  drawn(): string;
  /** Marks of documents. */
  marks: WeakMap<Document, string>;
  /** The mark of the document as it is now: another one once it was left, even if it comes back. */
  document(): string;
  /** Fails if the order's time is over, or this is no longer its document. */
  still(order: PageOrder): void;
  /** Nobody sees the page: it is not drawn. */
  isHidden(): boolean;
  /** Waits, then fails as `still` does: the only way to wait within an act. */
  pause(order: PageOrder, ms: number): Promise<void>;
  /** Waits for something else in the same way. */
  within<Value>(order: PageOrder, event: Promise<Value>): Promise<Value>;
  /** Does work that may take long, in several tasks of the page, but as if in one. */
  inSlices<Value, Data>(begin: () => Generator<void, Value>, finish: (value: Value) => Data): Data | Promise<Data>;
  /** Lets the page run what an event has started, as it does between two events of a person. */
  breathe(order: PageOrder): Promise<void>;
  /** Ends when the page is drawn next, or after `ms`. */
  frame(order: PageOrder, ms: number): Promise<void>;
  /** The outcome of the last act, as visible now. */
  after: (() => ActAfter[PageAct]) | null;
  /** The element that the last act was on. */
  acted: Element | null;
  /** What a person has to do here, found by a command that could not report it: the next command reports it, once. */
  deferredInterstitial: string | null;

  // own.js
  own: BproxyOwn;

  // frames.js
  /** What the command that runs has found out of the frames of the document; null if it has not looked. */
  framing: BproxyFraming | null;
  framed(): BproxyFraming;
  /** The frames of the document as they were found last. */
  slots: Element[];
  /** What the read before has listed. */
  listed: { token: string; entries: BproxyFraming['listed'] } | null;
  /** Whether this is a frame, or has some: answers are then put together of several. */
  isFramed(): boolean;
  /** Whether this document is in a frame. */
  isFrame(): boolean;
  /** The frame that a node is, by its place among all; undefined if it is none. */
  slotOf(node: Node): number | undefined;
  /** What stands for a frame in a text. */
  hole(slot: number, depth?: number): string;
  /** A selector that the frames of the document match too, to be taken out again by `withFrames`. */
  orFrames(selector: string): string;
  /** The elements without the frames among them, whose places in the list are noted if they are shown. */
  withFrames(list: string, found: Element[], isShown?: (frame: Element) => boolean): Element[];
  /** Nothing here is what a read is about: it fails, unless another document may have it. */
  missing(message: string): [];
  /** Fails if what is hit is a frame: the worker names the one to act in. */
  refuseFrame(hit: Element): void;
  /** What the worker is told of frames, besides the data. */
  framingTold(): { frames?: import('../frame-reads.js').Framing };

  // registry.js
  /** What each session knows. */
  sessions: Map<string, BproxyKnown>;
  /** The elements that the last act was for. */
  touched: Set<Element>;
  /** The numbers of this command: `of` gives an element's own, an unused one, or undefined if there is none left. */
  numbers(kind: 'el' | 'ln'): {
    of(element: Element, name?: string): number | undefined;
    /** Whether an element got no number because none was left. */
    capped(): boolean;
    /** What stands for a number in a text. */
    mark(number: number): string;
  };
  /** A command begins: what was numbered for an answer that was not sent is nobody's number. */
  beginNumbers(command: PageCommandName): void;
  /** Whether numbers were given that nobody was told of yet. */
  hasUntold(): boolean;
  /** The answer of this command was sent. */
  told(reading: string): void;
  /** Of what the read has listed, the numbers that there are already; 0 for none. */
  knownNumbers(): { kind: 'el' | 'ln'; n: number }[];
  /** Whether the element is in the document: not taken out, nor into another one. */
  isHere(element: Element): boolean;
  /** The element that a handle stands for, if it is there and still what it was. */
  handled(handle: string): Element;
  /** What the last act was for counts as read, as it is now. */
  readAgain(): void;

  // secrets.js
  /** Fields that were secret when a command ran. */
  secrets: WeakSet<Element>;
  /** Those of them whose contents are text of the page, such as editors. */
  secretTexts: WeakRef<Element>[];
  /** The elements of `secretTexts` that are there still. */
  textsKept(): Element[];
  /** The text in an element, drawn or not, but for what secret fields hold. */
  textOf(element: Element): string;
  /** Whether no answer tells what the field holds. */
  isSecret(field: Element): boolean;
  /** No answer tells from now on what the field, or the editor that it is part of, holds. */
  keepSecret(field: Element): void;
  /** Fields that are secret now stay so. */
  rememberSecrets(): void;
  /** The attributes that answers may tell. */
  attributesOf(element: Element): Attr[];

  // elements.js
  query(selector: string, root?: Document | ShadowRoot): Element[];
  resolve(target: BproxyTarget): Element;
  scopes(selector: string | undefined): Element[];
  findAll(root: Element | ShadowRoot, selector: string): Element[];
  /** The children in the flat tree: a host has its shadow tree, a slot what is assigned to it. */
  children(node: Node): Node[];
  parent(node: Node): Node | null;
  /** Whether a node is below an element, or is it, in the flat tree. */
  holds(element: Element, node: Node): boolean;
  /** All elements with an open shadow root, wherever they are. */
  hosts(): Element[];
  /** What `hosts` has found, until the next command. */
  hostList: Element[] | null;
  /**
   * Visits a node and the flat tree below it, in document order and however deep it is. `enter` says whether to go
   * below a node; `leave` comes after all below it.
   */
  walk(root: Node, enter: (node: Node) => boolean, leave?: (node: Node) => void): void;
  rendered(element: Element): boolean;
  /** Not left out of the layout: it may be invisible itself, and what is in it visible. */
  laidOut(element: Element): boolean;
  visible(element: Element): boolean;
  collapse(text: string): string;
  /** Whether one of these texts contains what is wanted, whatever its case and white space. */
  matcher(wanted: string | undefined): (...texts: (string | null | undefined)[]) => boolean;
  shorten(text: string, length: number): string;
  describe(element: Element): string;

  // sight.js
  /** Whether a person could see a text, at the latest after scrolling to it. */
  sees(text: Text): boolean;
  /** Whether a person could see all texts directly in an element, wherever they are. */
  seesAllIn(element: Element): boolean;
  /** The texts in an element that no person could see, shadow trees aside. */
  unseenIn(element: Element): Set<Text>;
  /** The texts in an element that the browser may not have laid out yet, as long as they are far from the window. */
  skippedIn(element: Element): Text[];
  /** Whether there may be a text in an element that no person could see. */
  hidesIn(element: Element): boolean;
  /** What is known of the sight of the page as it was: forgotten before the next command. */
  sight: {
    judge(text: Text): boolean;
    unseenIn(element: Element): Set<Text>;
    skippedIn(element: Element): Text[];
    hidesIn(element: Element): boolean;
    seesAllIn(element: Element): boolean;
    writes(element: Element): boolean;
    recases: boolean;
    pointed: Set<Element> | null;
  } | null;

  /** Whether a style sheet may add words before or after what the element says. */
  writes(element: Element): boolean;
  /** What may have a hand as its cursor. */
  underHand(): Iterable<Element>;
  /** Whether that is known from the style sheets, and not every element. */
  knowsHands(): boolean;
  /** Whether words may be shown in other letters than they are written in. */
  recases(): boolean;

  // suspects.js
  /** The elements whose style may hide text. */
  suspects(): BproxySuspects;
  /** Whether the page is drawn light on dark by itself. */
  isDark(): boolean;
  /** Red, green, blue (0 to 255) and alpha (0 to 1) of a colour; null where that depends on the element, or is none. */
  colour(css: string): number[] | null;
  /** Whether ink of this colour is not seen on any ground. */
  isFaint(ink: number[]): boolean;
  /** Whether two colours look the same. */
  looksLike(a: number[], b: number[]): boolean;

  // interstitial.js
  /** What a person has to do before the page goes on, or null. */
  interstitial(): string | null;
  judge(seen: {
    host: string;
    path: string;
    title: string;
    text: number;
    mark: boolean;
    content: boolean;
  }): string | null;

  // read.js
  /** The text of the page, or of the parts that a selector chooses, as its reader sees it; `hidden`: what nobody sees, too. */
  shownPage(selector: string | undefined, hidden?: boolean): string;

  // find.js
  /** The one visible element that is so described. */
  described(criteria: import('../contract.js').FindParams): Element;

  // selector.js
  namer(): BproxyNamer;
  /** The selectors of a list. */
  selectorList(list: string): string[];

  // roles.js
  role(element: Element): string;
  focusable(element: Element): boolean;
  isEditingHost(element: Element): boolean;

  // operable.js
  /** Whether a role is that of a control or link. */
  isControl(role: string): boolean;
  /** Whether an element can be acted on. */
  operable(element: Element, role?: string): boolean;
  /** Whether an element reacts without saying so by its role. */
  clickable(element: Element): boolean;
  /** All of them. */
  clickables(): Element[];
  /** The name of what reacts; what it shows if it has none. */
  calledAs(element: Element, name: string): string;
  /** The role, or `clickable` for what reacts and has none. */
  toldRole(element: Element): string;

  // names.js
  /** The labels of each tree's controls, collected by the command that runs; emptied before the next. */
  labels: Map<Node, Map<Element, Element[]>>;
  labelsOf(element: Element): Element[];
  namedByContent(role: string): boolean;
  ownName(element: Element): string;
  accessibleName(element: Element): string;

  // accessibility.js
  /** The name, and beside it the text that a person sees there, if the name contradicts it. */
  nameAndText(element: Element, name?: string): string;
  /** The text that a person sees in an element, if its name contradicts it; null if not. */
  contradiction(element: Element, name: string): string | null;
  /** The text that a person sees in an element. */
  shownText(element: Element): string;
  valueOf(element: Element, isSecret?: boolean): string | undefined;
  states(element: Element): string[];
  disabled(element: Element): boolean;

  // tree.js
  /** What the page says, as a tree: the lines of these elements are those directly below its root. */
  tree(
    scopes: Element[],
    how: { interactiveOnly?: boolean; hidden?: boolean },
  ): Generator<void, { root: BproxyNode; seen: BproxySeen }>;

  // unchanged.js
  /** Keeps what the read that runs has told besides the tree, as long as the page is as it is now. */
  remember(seen: BproxySeen, data: PageData<'snapshot'>): void;
  /** What the read of this command has told, if it would tell the same now; else null. */
  unchanged(reading: string): PageData<'snapshot'> | null;

  // controls.js
  editor(element: Element): string | undefined;
  /** The root of the rich editor around an element, or in it. */
  editorOf(element: Element): Element | null;
  headingLevel(element: Element): number;

  // tables.js
  /** The text of an element as a person sees it, with what its fields hold. */
  said(element: Element): string;
  isTable(element: Element): boolean;
  /** Whether a table only places parts of the page. */
  isLayout(table: Element): boolean;
  /** The columns of a table, and its rows from one on. */
  tableOf(table: Element, offset: number, limit: number): { columns: string[]; rows: string[][]; total: number };
  /** What a table or list is called; empty if it is called nothing. */
  captionOf(element: Element): string;

  // picture.js
  /** The page becomes what it was before its picture. */
  endPicture(): void;

  // effects.js
  /** How the document was when the act began that runs. */
  began: {
    act: string;
    url: string;
    focused: Element | null;
    scrollers: Map<Element, [number, number]>;
    blocked: Set<string>;
    /** What it asked to download. */
    asked: Set<string>;
    /** It asked a server for something. */
    sends: boolean;
    animations: Set<Animation>;
  } | null;
  /** Remembers how the document is, if this is the first that is done for the act. */
  begin(act: string | undefined): void;
  /** How far this element is scrolled counts as what the act caused. */
  mindScroller(scroller: Element): void;
  /** How far what this act minds was scrolled. CSS pixels. */
  scrolledBy(): number;
  /** The same for all that scroll around an element. */
  mindScrollersOf(element: Element): void;
  /** The page wanted something that only a person's own hand allows: in a few words. */
  wasBlocked(what: string): void;
  /** What the act that runs has caused. */
  seen(): PageSeen;

  // hit.js
  /** What is at a point, through every shadow root. */
  hitAt(at: PagePoint): Element | null;
  /** Whether the element gets what hits `hit`: it bubbles to the element, or to its label. */
  reaches(element: Element, hit: Element): boolean;
  /** The boxes that an element is drawn in: one for each line of a text, those of its contents if it has none. */
  boxes(element: Element): { left: number; top: number; right: number; bottom: number }[];
  /** The box around them. */
  box(element: Element): DOMRect;
  /** The image that an area is a part of. */
  imageOf(area: Element): Element | null;
  /** A point where the element can be hit, and what is hit there, else what covers it. */
  probe(element: Element): { at?: PagePoint; hit?: Element; cover?: Element | null };
  /** A place in an element, as a point in the window. */
  pointIn(element: Element, place: BproxySpot): PagePoint;

  // answers.js
  /** Since when the page is waited for after the last step of an act (`performance.now()`); 0: it is not. */
  waitedSince: number;
  /** Whether something that was asked for is without an answer, and is waited for. */
  isAsking(order: PageOrder): boolean;

  // rest.js
  /** Notices from now on what changes, until the page is at rest. */
  watch(): void;
  /** Waits until nothing is under way; false if something still is. */
  rest(order: PageOrder): Promise<boolean>;
  /** Whether the document is about to be left. */
  isLeaving(): boolean;
  /** Whether the page asked for an animation frame while the act runs. */
  waitsForFrames(): boolean;

  // locate.js
  /**
   * Scrolls the element into view, and lets the page hear of that before anything else, as of a person's scrolling: many
   * close what has just opened when something scrolls. A page that nobody sees hears of it when it is seen.
   */
  bringIntoView(element: Element, place?: BproxySpot): Promise<void>;
  /** Fails with ELEMENT_NOT_ACTIONABLE: the element in a few words, then why; `suggestedAction` as in `fail`. */
  notActionable(element: Element, why: string, suggestedAction?: string): never;
  /** Whether a person could see the element, at the latest after scrolling to it. */
  hasBox(element: Element): boolean;
  /** The one element that a target names, if a person could see and use it. */
  actionable(target: BproxyTarget): Element;
  /** The same, to press it: of a box that a page hides, its label. */
  pressable(target: BproxyTarget): Element;
  /** Whether a person can hit the element, scrolled into view if need be. */
  reachable(element: Element): boolean;
  /** Where the element can be hit, and what is hit there: itself, something in it, or its label. */
  hitPoint(element: Element, place?: BproxySpot): { at: PagePoint; hit: Element };

  // keys.js
  /** A key with its modifiers, such as `Control+a`. Fails for a name that no key has. */
  stroke(keys: string): PageStroke;

  // keyboard.js
  /** Whether keys are for another document than this one. `firm`: also if nothing here has the focus. */
  elsewhere(firm: boolean): PageElsewhere | undefined;
  /** A key goes down, with its modifiers, and the browser's reaction follows. */
  strike(stroke: PageStroke, order: PageOrder): Promise<void>;
  /** It comes up again. */
  release(stroke: PageStroke, order: PageOrder): Promise<void>;
  /** Focuses what a target names: itself, the one field that it is made of, what its label is for. */
  focusTarget(target: BproxyTarget): Element;

  // clipboard.js
  /** The clipboard of the session whose key is pressed. */
  clipboard: string | undefined;
  copy(focused: Element, type: 'copy' | 'cut'): void;
  paste(focused: Element): void;

  // caret-moves.js
  /** Moves the caret, or with `extend` the end of the selection. */
  moveCaret(on: Element, to: string, by: string, extend: boolean, times?: number): void;
  /** How many lines a page of an element's text has, less what stays in view. */
  linesOfPage(on: Element): number;

  // editing.js
  /** Asks the page whether a change may be. */
  mayChange(
    on: Element,
    inputType: string,
    about?: { data?: string | null; dataTransfer?: DataTransfer | null; reach?: [string, string] },
  ): boolean;
  /** The event that browsers send beside `beforeinput`; false if the page prevents it. */
  goesIn(on: Element, text: string): boolean;
  /** Runs a command, whose `input` event is to name another cause; null: none. */
  changeAs(inputType: string | null, run: () => void, data?: string | null, dataTransfer?: DataTransfer | null): void;
  /** One of the browser's own commands for what has the caret. */
  command(name: string, value?: string): boolean;
  /** Whether nothing is selected. */
  isCollapsed(on: Element): boolean;
  /** Whether an element is a field with a caret. */
  isTextual(element: Element): boolean;
  /** Whether keys write into an element. */
  takesText(element: Element): boolean;
  /** The outermost editable element around one, which has the focus for all in it; null if it is not editable. */
  hostOfEditing(element: Element): HTMLElement | null;
  insertText(on: Element, text: string): void;
  /** What Enter does in a text; in a field of one line only the page is asked. False if the page prevents it. */
  insertBreak(on: Element, isLine: boolean): boolean;
  /** Empties a search, as Escape does. */
  clearSearch(field: HTMLInputElement): void;
  /** Whether the page lets a text be put in. */
  asksToInsert(on: Element, text: string): boolean;
  /** What keys have changed in a field counts as a change from now on. */
  commit(on: Element): void;
  /** What a key does to a text, its caret or the clipboard. False if nothing. */
  editByKey(on: Element, stroke: PageKey, down: PageModifiers): boolean;

  // adjusting.js
  /** What a key does to the value of a slider, a number, a list or a radio button. False if nothing. */
  adjustByKey(on: Element, stroke: PageKey, down: PageModifiers): boolean;
  /** Goes to the next option that begins with what was typed. */
  searchByKey(list: HTMLSelectElement, text: string): void;
  radioGroup(radio: HTMLInputElement): HTMLInputElement[];

  /** Tells the page that a key has changed a value. */
  changedByKey(element: Element): void;

  // segments.js
  /** What a key does in a field for dates or times. False if nothing. */
  segmentByKey(on: Element, key: string, down: PageModifiers): boolean;
  /** True if it is such a field, which has taken the text as far as it can. */
  typeIntoSegment(on: Element, text: string): boolean;
  /** Goes to the next segment; false if there is none. */
  tabInSegments(on: Element, backward: boolean): boolean;
  /** The field got the focus by Tab: at its first segment, or from behind. */
  enterSegments(field: Element, backward: boolean): void;

  // tabbing.js
  /** What Tab does. */
  tabOn(backward: boolean): void;
  /** Where the last Tab led to, if out of this document. */
  passed: PagePassed | undefined;

  // reactions.js
  /** What is left of a height, of which a part is scrolled through at once. */
  PAGE_STEP: number;
  /** A click that has no place. */
  clickByKey(element: Element, down?: PageModifiers): void;
  scrollByKey(on: Element, key: string, down: PageModifiers): void;
  /** True if the key prints nothing after this. */
  reactToKeydown(on: Element, stroke: PageStroke, down: PageModifiers): boolean;
  reactToKeypress(on: Element, stroke: PageStroke, down: PageModifiers): void;
  /** `on`: null if the page has prevented it. */
  reactToKeyup(on: Element | null, stroke: PageStroke): void;

  // field.js
  /** The one field that a custom element is made of; otherwise the element itself. */
  fieldOf(element: Element): Element;
  isField(element: Element): boolean;
  /** A checkbox, a radio button or a switch, the browser's or drawn by the page. */
  isToggle(element: Element): boolean;
  /** A slider that the page draws. */
  isSlider(element: Element): boolean;
  /** Whether an element only takes part in a form for another one, and no person meets it. */
  isPart(field: Element): boolean;
  /** What a word means to a checkbox; null if it is not one of the accepted words. */
  truth(value: string): boolean | null;
  /** The field that a target stands for, if it takes the value by the method. */
  writable(field: Pick<BproxyField, 'target' | 'value' | 'method' | 'private'>): Element;
  /** The ways to fill a field that takes the value, the best first: the method that was asked for, or those that fit. */
  waysFor(field: Pick<BproxyField, 'target' | 'method'>): BproxyWay[];
  /** The options that a value names, one in each line. Fails for those that are disabled or not there. */
  optionsFor(select: HTMLSelectElement, value: string): HTMLOptionElement[];
  /** The options that a value names: one in each line, where a select takes several. */
  optionNames(select: HTMLSelectElement, value: string): string[];
  /** The option with this value, else the one with this text. */
  optionNamed(select: HTMLSelectElement, wanted: string): HTMLOptionElement | undefined;
  optionDisabled(option: HTMLOptionElement): boolean;
  /** Refuses a select that a page hides behind a widget of its own, or that is covered. */
  requireShown(select: HTMLSelectElement): void;

  // fill.js
  /** Writes into a field, with the events of a person's change. */
  setValue(field: HTMLInputElement, value: string): void;

  // held.js
  /** What a field holds now. */
  heldBy(element: Element): string;
  /** Whether what an element holds means what was wanted. */
  same(element: Element, held: string, wanted: string): boolean;

  // focus.js
  /** The element that has the focus, in whichever open shadow root; null if none has. */
  focused(): Element | null;
  /** The frame that has the focus, or whose page has, by its place among the frames of this document. */
  focusedFrame(): number | undefined;
  /** This document has the focus, and nothing in it. */
  takeWindowFocus(): void;
  /** Another document gets the focus: what has it here hears of that. */
  leaveFocus(): void;
  /** Tells the page that this window has the focus, if it was not told and the browser does not tell it. */
  tellWindow(): void;
  /** Focuses an element, if it can be. */
  takeFocus(element: Element): void;
  /** Nothing has the focus from then on. */
  dropFocus(): void;
  /**
   * What a press of the mouse does to the focus: the nearest element around what was hit takes it, if one does, and
   * otherwise it is dropped.
   */
  focusFromPointer(hit: Element): void;
  /**
   * Tells the page where the focus is, if the browser does not. To be called wherever a handler of the page may have moved
   * it.
   */
  tellFocus(): void;
  /** Whether an element is in a host's shadow tree, or in one within that, or below it. */
  isWithin(element: Element, host: Element): boolean;

  // dismiss.js
  /** A press at a place; what its release does to what a press beside it closes. */
  dismissing(hit: Element, at: PagePoint): (over: Element, where: PagePoint) => void;

  // hover.js
  /** Finds the first element that CSS `:hover` would show, were a person's pointer at `hit`, and that is hidden now. */
  hiddenUntilHover(hit: Element): () => { element: Element; guessed: boolean } | null;
  /** Whether an element is hidden now, and CSS `:hover` would show it or what it is in. */
  waitsForHover(element: Element): boolean;

  // requests.js
  /** Listens, while an act is under way, to the guard whose events have this name. */
  listen(act: string | undefined): void;
  /** The act is over: only what its timers open is listened to, for a moment. */
  stopListening(): void;
  /** What the guard may ask for, by the first word: whether it was done. */
  requests: Record<string, (at: EventTarget, rest: string) => boolean>;

  // opens.js
  /** Whether links that lead to other tabs are followed behind this one. */
  mindLinks(minds: boolean): void;

  // file-field.js
  isFileField(element: Element): boolean;
  /** The field for files that an element is, labels or has in it; null if there is none. */
  fileFieldOf(element: Element): HTMLInputElement | null;
  /** Fails if the field does not take these files. */
  takesFiles(field: HTMLInputElement, files: PageFile[]): void;
  /** Puts files into the field, and tells the page. */
  giveFiles(field: HTMLInputElement, files: File[]): { uploaded: PageUploaded[] };
  /** Of the files that were given those whose names the page shows more often than `before`; all if it shows none so and `isTaken`. */
  keptOf(given: PageUploaded[], before: Map<string, number>, isTaken: boolean): PageUploaded[];
  /** How often the page shows each of these names. */
  showing(files: { name: string }[]): Map<string, number>;

  // upload.js
  /** Whether choosers of files are noticed that fields of the document ask for. */
  mindChoosers(minds: boolean): void;

  // capture.js
  /**
   * Where an event of the act's pointer goes: to the element that has captured it, else to `hit`. Before an event of the
   * pointer itself, the events of a capture that has begun or ended since the last one are sent.
   */
  pointed(hit: Element, type: string, init: PointerEventInit): Element;
  /** The pointer is up, and all events of that are sent but `click`: nothing has captured it any more. */
  uncapture(init: PointerEventInit): void;

  // settle.js
  /** Whether something moves that ends soon. */
  isMoving(): boolean;
  /** The document, and the shadow trees of the widget that the last act was on. */
  trees(): (Document | ShadowRoot)[];

  // pointer.js
  /** The mouse of this command's session, with these keys held down. */
  mouse(modifiers?: string[]): BproxyMouse;

  // caret.js
  /** Whether an element is a field whose text can be selected. */
  isText(element: Element): boolean;
  /** The place in the text that is nearest to a point; in a field, the field and the place in what it holds. */
  caretAt(at: PagePoint, hit: Element): BproxyCaret | null;
  /** What a press does to the selection; the place of the caret, null if none was put anywhere. */
  caretFromPointer(
    hit: Element,
    at: PagePoint,
    how?: { button?: number; count?: number; extend?: boolean },
  ): BproxyCaret | null;

  // click.js
  /** Moves to an element, to press it there. Of each press, `up` is false if no click came of it. */
  pressOf(
    element: Element,
    how?: { button?: 'left' | 'middle' | 'right'; modifiers?: string[]; at?: BproxySpot },
  ): { down(detail: number): void; up(detail: number): boolean };
  /** Moves there and clicks, as a mouse does. False if the press made the element go away, so that no click came of it. */
  press(element: Element): boolean;

  // native-drag.js
  /** What the browser itself moves when the mouse is dragged from there. */
  nativeDrag(hit: Element, at: PagePoint, modifiers?: string[]): BproxyNativeDrag | null;

  // drop.js
  /** What the browser would drag, were the mouse moved after a press there. */
  draggable(hit: Element): Element | null;
  /** Starts to drag; null if the page prevents it. */
  startDrop(source: Element, start: PagePoint, mouse: BproxyMouse, transfer: string): BproxyDrop | null;

  // transfer.js
  /** The effects of a drag, each set for the event that is sent then. */
  transfer(name: string, data: DataTransfer): BproxyTransfer;
  /** Ends what the page’s own world does for it. */
  endTransfer(name: string): void;
}

declare var bproxy: BproxyPage;
