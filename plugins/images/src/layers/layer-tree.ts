import { layerInvalid, shown } from "../errors.ts";
import { defaultDirectory, directoryNode, isDefaultDirectory, type Node } from "./inode.ts";

const mostSymlinks = 40;

/** What a layer takes for granted of those below it: where that holds, what it becomes does not depend on them. */
export interface Assumptions {
  /** Directories that the layer has things in and does not describe: not there below, or there as a plain default one. */
  readonly undescribed: readonly string[];
  /** What the layer removes: there below. */
  readonly removed: readonly string[];
}

/** The place of an entry: the directory that it belongs into, in the layer and in those below. */
export interface Place {
  readonly parent: Node;
  /** The directory of that path in the layers below, as far as it can be seen through this one. */
  readonly below: Node | undefined;
  readonly name: string;
  readonly path: string;
}

/** A layer's own tree, as it is read. */
export class LayerTree {
  readonly root: Node;
  readonly #below: Node | undefined;
  /** Directories, and whether the layers below say what they are. */
  readonly #undescribed = new Map<string, boolean>();
  readonly #removed = new Set<string>();
  #dependsOnBelow = false;

  constructor(below: Node | undefined, layer: string) {
    this.#below = below;
    this.root = directoryNode(below?.inode ?? defaultDirectory, layer);
    this.#note("", below);
  }

  get below(): Node | undefined {
    return this.#below;
  }

  /** Whether anything of it is so because of the layers below. */
  get dependsOnBelow(): boolean {
    return this.#dependsOnBelow || [...this.#undescribed.values()].includes(true);
  }

  /** Something of it was taken from the layers below. */
  takesFromBelow(): void {
    this.#dependsOnBelow = true;
  }

  /** The assumptions that are left when all of the layer has been read. */
  assumptions(): Assumptions {
    return { undescribed: [...this.#undescribed.keys()], removed: [...this.#removed] };
  }

  /** A directory is described after all. */
  described(path: string): void {
    this.#undescribed.delete(path);
  }

  removes(path: string, isBelow: boolean): void {
    if (isBelow) this.#removed.add(path);
    else this.#dependsOnBelow = true;
  }

  /**
   * Where an entry of a path goes: the symlinks on the way are followed as the image's own root would, and the directories that nobody
   * has described are made.
   * @param onDirectory told of each directory that is made
   */
  async place(
    path: string,
    onDirectory: (path: string, node: Node) => Promise<void>,
  ): Promise<Place> {
    let left = path.split("/");
    const name = left.pop() ?? "";
    let followed = 0;
    let done: string[] = [];
    let parent = this.root;
    let below = this.#below;
    while (left.length > 0) {
      const part = left[0] as string;
      const own = parent.children?.get(part);
      const under = below?.children?.get(part);
      const seen = own ?? under;
      if (seen?.inode.kind === "symlink") {
        if (own === undefined) this.#dependsOnBelow = true;
        if (++followed > mostSymlinks)
          throw layerInvalid(`the way to ${shown(path)} has too many symlinks`);
        left = follow(done, seen.inode.target ?? "", left.slice(1));
        done = [];
        parent = this.root;
        below = this.#below;
        continue;
      }
      done.push(part);
      left = left.slice(1);
      if (own !== undefined && own.inode.kind !== "directory" && own.inode.kind !== "whiteout")
        throw layerInvalid(
          `${shown(path)} lies below ${shown(done.join("/"))}, which is no directory`,
        );
      if (own?.inode.kind === "directory") {
        parent = own;
        below = own.opaque ? undefined : directoryOf(under);
        continue;
      }
      const hidden = own?.inode.kind === "whiteout";
      const visible = hidden ? undefined : directoryOf(under);
      if (under !== undefined && visible === undefined) this.#dependsOnBelow = true;
      const made = directoryNode(visible?.inode ?? defaultDirectory, this.root.layer);
      made.opaque = hidden;
      parent.children?.set(part, made);
      const at = done.join("/");
      if (!hidden) this.#note(at, visible);
      await onDirectory(at, made);
      parent = made;
      below = visible;
    }
    return { parent, below, name, path: [...done, name].join("/") };
  }

  #note(path: string, below: Node | undefined): void {
    this.#undescribed.set(path, below !== undefined && !isDefaultDirectory(below.inode));
  }
}

/** Whether a layer that was read on other layers is the same on these. */
export function holdsOn(below: Node | undefined, { undescribed, removed }: Assumptions): boolean {
  const at = (path: string): Node | "not a directory" | undefined => {
    let node = below;
    for (const name of path === "" ? [] : path.split("/")) {
      if (node !== undefined && node.children === undefined) return "not a directory";
      node = node?.children?.get(name);
    }
    return node;
  };
  return (
    undescribed.every((path) => {
      const node = at(path);
      return node === undefined || (typeof node === "object" && isDefaultDirectory(node.inode));
    }) && removed.every((path) => typeof at(path) === "object")
  );
}

function directoryOf(node: Node | undefined): Node | undefined {
  return node?.inode.kind === "directory" ? node : undefined;
}

/** The path that a symlink leads to, with what comes behind it. Nothing leads above the root. */
function follow(from: readonly string[], target: string, rest: readonly string[]): string[] {
  const names = target.startsWith("/") ? [] : [...from];
  for (const name of target.split("/")) {
    if (name === "" || name === ".") continue;
    if (name === "..") names.pop();
    else names.push(name);
  }
  return [...names, ...rest];
}
