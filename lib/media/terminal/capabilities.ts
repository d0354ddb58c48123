/**
 * Which graphics a terminal can do: it is asked, and what it does not say is taken from the
 * environment.
 */
import { ClchatError } from '../../errors.ts';
import type { PixelSize } from './area.ts';
import { GRAPHICS_MODES, type GraphicsMode } from './renderer.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The size of a terminal in cells. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export interface Capabilities {
  /** What it can do, best first; empty where nothing can be placed at all. */
  readonly modes: readonly GraphicsMode[];
  /** The size of a cell in pixels. */
  readonly cell?: PixelSize;
  /** Whether it writes dark on light. */
  readonly isLight?: boolean;
}

/** The number of the image that is asked about; no other program is likely to use it. */
const IMAGE = 20_615;
/** Red, green and blue of a colour that is set and asked for: no palette has it. */
const COLOUR = [1, 2, 3] as const;
/** Answers that have no end within this many characters are none. */
const MOST_WAITING = 1_024;
/** Colour registers below which sixels look worse than half blocks. */
const LEAST_REGISTERS = 216;
/** Sides of a cell in pixels that can be true. */
const LEAST_SIDE = 4;
const MOST_SIDE = 200;
/** How long answers are waited for, in milliseconds. */
const PATIENCE_MS = 300;

const KITTY_QUESTION = `\u001b_Gi=${IMAGE},s=1,v=1,a=q,t=d,f=24;AAAA\u001b\\`;
const VERSION_QUESTION = '\u001b[>0q';
/** Sets the colour and asks what it is now; the cursor's own colours come back after that. */
const COLOUR_QUESTION = `\u001b7\u001b[48;2;${COLOUR.join(';')}m\u001bP$qm\u001b\\\u001b[0m\u001b8`;
const GROUND_QUESTION = '\u001b]11;?\u001b\\';
const CELL_QUESTION = '\u001b[16t';
const REGISTERS_QUESTION = '\u001b[?1;1;0S';
/** How many pixels sixels may cover at present, and at most: xterm says no size of a cell. */
const GEOMETRY_QUESTIONS = '\u001b[?2;1;0S\u001b[?2;4;0S';
/** Every terminal answers this one: what is not answered before it, is not known. */
const LAST_QUESTION = '\u001b[c';

const ANSWERS = {
  kitty: new RegExp(`^\u001b_Gi=${IMAGE}[^;]*;(.*)$`, 's'),
  version: /^\u001bP>\|(.*)$/s,
  rendition: /^\u001bP[01]\$r(.*)$/s,
  ground: /^\u001b\]11;rgba?:([0-9a-f]{1,4})\/([0-9a-f]{1,4})\/([0-9a-f]{1,4})/i,
  cell: /^\u001b\[6;(\d{1,4});(\d{1,4})t$/,
  registers: /^\u001b\[\?1;(\d+);(\d{1,9})[;\d]*S$/,
  geometry: /^\u001b\[\?2;0;(\d{1,5});(\d{1,5})S$/,
  refusal: /^\u001b\[\?[12];[1-3][;\d]*S$/,
  attributes: /^\u001b\[\?([\d;]*)c$/,
} as const;

/** The string that a sequence ends with, if it is one that carries a text. */
const TERMINATOR = /(?:\u001b\\|[\u0007\u009c])$/;

/** Terminals of 24-bit colours that may not say so when they are asked for a colour. */
const TRUE_COLOUR_NAMES =
  /kitty|foot|wezterm|iterm|contour|ghostty|konsole|vte|mlterm|mintty|xterm\.js|alacritty|rio|windows terminal/i;
const TRUE_COLOUR_PROGRAMS = /^(?:iTerm\.app|WezTerm|vscode|ghostty|Hyper|rio|Tabby|WarpTerminal)$/;
const TRUE_COLOUR_TERMS = /direct|truecolor|kitty|ghostty|foot|alacritty|wezterm|contour/;
/** Terminals without colours. */
const MONOCHROME = /^(?:vt\d|ansi-m|.*-m$|.*-mono$)/;

/** Programs between this one and the terminal, which take questions for their own. */
function multiplexer({ TMUX, STY, TERM = '' }: Environment): 'tmux' | 'screen' | undefined {
  if (TMUX !== undefined || TERM.startsWith('tmux')) return 'tmux';
  return STY !== undefined || TERM.startsWith('screen') ? 'screen' : undefined;
}

/**
 * What to write to a terminal to learn what it can do. It answers by what it would send for keys:
 * see `isAnswer`. What a terminal is known to print instead of understanding it, is left out.
 */
export function questions(environment: Environment): string {
  const { TERM, TERM_PROGRAM } = environment;
  if (TERM === 'dumb') return '';
  if (TERM === 'linux' || TERM_PROGRAM === 'Apple_Terminal') return LAST_QUESTION;
  const between = multiplexer(environment);
  // GNU screen hands strings through to a terminal whose answers do not hold for screen itself.
  if (between === 'screen') return CELL_QUESTION + LAST_QUESTION;
  return [
    // tmux takes such a string for the title of the window.
    between === 'tmux' ? '' : KITTY_QUESTION,
    VERSION_QUESTION,
    COLOUR_QUESTION,
    GROUND_QUESTION,
    CELL_QUESTION,
    REGISTERS_QUESTION,
    GEOMETRY_QUESTIONS,
    LAST_QUESTION,
  ].join('');
}

/**
 * What to write to learn how large a cell is by now. It may stand between two pieces of an image, where
 * a question about images would end that.
 */
export function cellQuestions(environment: Environment): string {
  const all = questions(environment);
  const about = [CELL_QUESTION, GEOMETRY_QUESTIONS, LAST_QUESTION];
  return about.filter((question) => all.includes(question)).join('');
}

/** What to write to a terminal to hear of it once it has answered all that it was asked before. */
export function lastQuestion(environment: Environment): string {
  return questions(environment) === '' ? '' : LAST_QUESTION;
}

/** Whether a sequence that came from the terminal, whole, is an answer to one of the questions. */
export function isAnswer(sequence: string): boolean {
  const text = sequence.replace(TERMINATOR, '');
  return Object.values(ANSWERS).some((answer) => answer.test(text));
}

/** Gathers what the terminal answers. It takes anything, in any pieces, and keeps little. */
export class Answers {
  readonly #environment: Environment;
  readonly #size: TerminalSize | undefined;
  /** The beginning of a sequence. */
  #waiting = '';
  #hasKitty = false;
  #hasSixel = false;
  #registers: number | undefined;
  #geometry: PixelSize | undefined;
  /** Undefined while it has not said. */
  #hasTrueColour: boolean | undefined;
  #cell: PixelSize | undefined;
  #isLight: boolean | undefined;
  #isComplete = false;

  constructor(environment: Environment, size?: TerminalSize) {
    this.#environment = environment;
    this.#size = size;
  }

  /** Whether the last answer has come. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  take(text: string): void {
    this.#waiting += text;
    while (this.#waiting !== '') {
      const start = this.#waiting.indexOf('\u001b');
      this.#waiting = start < 0 ? '' : this.#waiting.slice(start);
      const whole = SEQUENCE.exec(this.#waiting);
      if (whole !== null) {
        this.#sequence(whole[0].replace(TERMINATOR, ''));
        this.#waiting = this.#waiting.slice(whole[0].length);
      } else if (!BEGINNING.test(this.#waiting) || this.#waiting.length > MOST_WAITING)
        // Nothing, no sequence, or none that ends: what follows may be one.
        this.#waiting = this.#waiting.slice(1);
      else return;
    }
  }

  /** What is known now; what the terminal has not said is taken from the environment. */
  get capabilities(): Capabilities {
    const modes = GRAPHICS_MODES.filter((mode) => this.#has(mode));
    return {
      modes,
      ...(this.#cell !== undefined && { cell: this.#cell }),
      ...(this.#isLight !== undefined && { isLight: this.#isLight }),
    };
  }

  #has(mode: GraphicsMode): boolean {
    const environment = this.#environment;
    if (environment['TERM'] === 'dumb') return false;
    switch (mode) {
      case 'kitty':
        return this.#hasKitty || (!this.#isComplete && isKitty(environment));
      case 'sixel':
        // Without the size of a cell nobody knows which cells an image covers.
        return (
          this.#hasSixel &&
          this.#cell !== undefined &&
          (this.#registers ?? LEAST_REGISTERS) >= LEAST_REGISTERS
        );
      case 'truecolor':
        return hasUtf8(environment) && (this.#hasTrueColour ?? hasTrueColour(environment));
      case '256':
        return hasUtf8(environment) && (this.#hasTrueColour === true || hasColours(environment));
      case 'ascii':
        return true;
      default:
        return mode satisfies never;
    }
  }

  #sequence(text: string): void {
    const match = (name: keyof typeof ANSWERS): string[] | undefined =>
      ANSWERS[name].exec(text)?.slice(1);
    const [kitty] = match('kitty') ?? [];
    if (kitty !== undefined) this.#hasKitty = kitty === 'OK';
    const [version] = match('version') ?? [];
    if (version !== undefined && TRUE_COLOUR_NAMES.test(version)) this.#hasTrueColour ??= true;
    const [rendition] = match('rendition') ?? [];
    if (rendition !== undefined) this.#rendition(rendition);
    const ground = match('ground');
    if (ground !== undefined) this.#isLight = isLight(ground);
    const [height, width] = match('cell') ?? [];
    if (height !== undefined && width !== undefined)
      this.#cell = cellOf({ width: Number(width), height: Number(height) });
    const [status, registers] = match('registers') ?? [];
    if (status === '0') this.#registers = Number(registers);
    const geometry = match('geometry')?.map(Number);
    if (geometry !== undefined) this.#takeGeometry({ width: geometry[0]!, height: geometry[1]! });
    const [attributes] = match('attributes') ?? [];
    if (attributes !== undefined) {
      // The first number says which terminal it is like, the others what it can do.
      this.#hasSixel = attributes.split(';').slice(1).includes('4');
      this.#isComplete = true;
    }
  }

  /** The present geometry, then the largest; where they are the same, it is not that of all cells. */
  #takeGeometry(geometry: PixelSize): void {
    const present = this.#geometry;
    this.#geometry = geometry;
    if (present === undefined || this.#size === undefined) return;
    if (present.width >= geometry.width || present.height >= geometry.height) return;
    const { columns, rows } = this.#size;
    this.#cell ??= cellOf({ width: present.width / columns, height: present.height / rows });
  }

  /** What the colour was that had been set; some terminals always answer that there is none. */
  #rendition(parameters: string): void {
    const [red, green, blue] = COLOUR;
    const asSet = new RegExp(`48[:;]2[:;](?:\\d*:)?${red}[:;]${green}[:;]${blue}(?!\\d)`);
    if (asSet.test(parameters)) this.#hasTrueColour = true;
    else if (/48[:;]5[:;]\d/.test(parameters)) this.#hasTrueColour = false;
  }
}

/** A sequence at the beginning of a text: one that carries a text, or one of numbers. */
const SEQUENCE =
  /^\u001b(?:[PX^_\]][^\u0007\u009c\u001b]*(?:\u0007|\u009c|\u001b\\)|\[[0-?]*[ -/]*[@-~])/;
/** The beginning of one. */
const BEGINNING = /^\u001b(?:[PX^_\]][^\u0007\u009c\u001b]*\u001b?|\[[0-?]*[ -/]*)?$/;

function isLight(channels: readonly string[]): boolean {
  const [red, green, blue] = channels.map((text) => parseInt(text, 16) / (16 ** text.length - 1));
  return 0.3 * red! + 0.6 * green! + 0.1 * blue! > 0.5;
}

function cellOf({ width, height }: PixelSize): PixelSize | undefined {
  const isTrue = (side: number): boolean =>
    Number.isInteger(side) && side >= LEAST_SIDE && side <= MOST_SIDE;
  return isTrue(width) && isTrue(height) ? { width, height } : undefined;
}

function isKitty(environment: Environment): boolean {
  const { TERM = '', TERM_PROGRAM, KITTY_WINDOW_ID } = environment;
  if (multiplexer(environment) !== undefined) return false;
  return (
    KITTY_WINDOW_ID !== undefined ||
    /kitty|ghostty/.test(TERM) ||
    TERM_PROGRAM === 'ghostty' ||
    TERM_PROGRAM === 'WezTerm'
  );
}

function hasUtf8({ LC_ALL, LC_CTYPE, LANG, WT_SESSION }: Environment): boolean {
  // The first that is set and not empty counts.
  const locale = [LC_ALL, LC_CTYPE, LANG].find((value) => value !== undefined && value !== '');
  return /utf-?8/i.test(locale ?? '') || WT_SESSION !== undefined;
}

function hasTrueColour(environment: Environment): boolean {
  const { TERM = '', TERM_PROGRAM = '', COLORTERM = '', WT_SESSION } = environment;
  if (multiplexer(environment) === 'screen') return false;
  return (
    /^(?:truecolor|24bit)$/i.test(COLORTERM) ||
    TRUE_COLOUR_TERMS.test(TERM) ||
    TRUE_COLOUR_PROGRAMS.test(TERM_PROGRAM) ||
    WT_SESSION !== undefined
  );
}

function hasColours(environment: Environment): boolean {
  return !MONOCHROME.test(environment['TERM'] ?? '');
}

export interface Asking {
  /**
   * Takes what the terminal sends; anything but answers is passed over.
   * @returns whether that was the last answer
   */
  take(text: string): boolean;
  /** Settles when all is answered, or when it has taken too long. */
  readonly capabilities: Promise<Capabilities>;
}

export interface AskingOptions {
  /** Writes to the terminal. */
  readonly write: (text: string) => void;
  readonly environment: Environment;
  /** What it is asked: all, unless it is said. */
  readonly asks?: ((environment: Environment) => string) | undefined;
  readonly size?: TerminalSize | undefined;
  /** How long answers are waited for: 300 ms, unless it is said. */
  readonly milliseconds?: number | undefined;
}

/** Asks a terminal what it can do. It answers in the order in which it is asked. */
export function askTerminal(options: AskingOptions): Asking {
  const { write, environment, asks = questions, milliseconds = PATIENCE_MS } = options;
  const answers = new Answers(environment, options.size);
  let settle: () => void = () => undefined;
  const answered = new Promise<void>((resolve) => (settle = resolve));
  const text = asks(environment);
  const timer = setTimeout(settle, text === '' ? 0 : milliseconds);
  write(text);
  return {
    take: (sent) => {
      answers.take(sent);
      if (answers.isComplete) settle();
      return answers.isComplete;
    },
    capabilities: answered.then(() => {
      clearTimeout(timer);
      return answers.capabilities;
    }),
  };
}

/**
 * The mode to draw in: the best one that the terminal has, or the one that a person names, who may
 * know better.
 * @throws USAGE for a name that is none, NOT_SUPPORTED where nothing can be drawn
 */
export function chooseMode({ modes }: Capabilities, named?: string): GraphicsMode {
  if (named !== undefined) {
    const mode = GRAPHICS_MODES.find((one) => one === named);
    if (mode !== undefined) return mode;
    throw new ClchatError(
      'USAGE',
      `There is no graphics mode of that name. There are: ${GRAPHICS_MODES.join(', ')}.`,
    );
  }
  const [best] = modes;
  if (best === undefined)
    throw new ClchatError('NOT_SUPPORTED', 'This terminal cannot draw pictures.');
  return best;
}
