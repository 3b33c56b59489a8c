/** What a path of a layer can be. A `whiteout` hides what lower layers have there. */
export type InodeKind = "file" | "directory" | "symlink" | "char" | "block" | "fifo" | "whiteout";

/** A file, directory or other thing, apart from its name. All texts are bytes, one a character: names need not be UTF-8. */
export interface Inode {
  readonly kind: InodeKind;
  /** Permission bits, with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: { readonly seconds: number; readonly nanoseconds: number };
  /** Without those of overlayfs. */
  readonly xattrs: Readonly<Record<string, string>>;
  readonly sizeBytes: number;
  /** Of a symlink. */
  readonly target?: string | undefined;
  /** Of a device. */
  readonly device?: { readonly major: number; readonly minor: number } | undefined;
  /** A number of a file that has several names in its layer. */
  readonly linkGroup?: number | undefined;
  /** The blob that a file of /boot is kept as, beside the layer. */
  readonly bootBlobId?: string | undefined;
}

/** A name, and what is below it. */
export interface Node {
  inode: Inode;
  /** Of a directory. */
  children: Map<string, Node> | undefined;
  /** Whether a directory hides what lower layers have in theirs of that name. */
  opaque: boolean;
  /** The blob of the layer that it is from. */
  layer: string;
}

/** What a directory is that nobody has described. */
export const defaultDirectory: Inode = {
  kind: "directory",
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
  xattrs: {},
  sizeBytes: 0,
};

export const whiteout: Inode = { ...defaultDirectory, kind: "whiteout", mode: 0 };

export function directoryNode(inode: Inode, layer: string): Node {
  return { inode, children: new Map(), opaque: false, layer };
}

export function isDefaultDirectory({ kind, mode, uid, gid, mtime, xattrs }: Inode): boolean {
  return (
    kind === "directory" &&
    mode === defaultDirectory.mode &&
    uid === 0 &&
    gid === 0 &&
    mtime.seconds === 0 &&
    mtime.nanoseconds === 0 &&
    Object.keys(xattrs).length === 0
  );
}

/** What is at a path of a tree. The path has no dots, and no slash at its ends. */
export function nodeAt(root: Node | undefined, path: string): Node | undefined {
  let node = root;
  if (path === "") return node;
  for (const name of path.split("/")) node = node?.children?.get(name);
  return node;
}

/** Puts a layer on those below it, as overlayfs shows them. Changes the tree below, and takes parts of the layer. */
export function stack(below: Node, layer: Node): void {
  below.inode = layer.inode;
  below.layer = layer.layer;
  for (const [name, node] of layer.children ?? []) {
    const old = below.children?.get(name);
    if (node.inode.kind === "whiteout") below.children?.delete(name);
    else if (node.children === undefined) below.children?.set(name, node);
    else if (old?.children !== undefined && !node.opaque) stack(old, node);
    else {
      const fresh = directoryNode(node.inode, node.layer);
      stack(fresh, node);
      below.children?.set(name, fresh);
    }
  }
}

/**
 * Numbers the files of a layer that have several names, so that they are known as one also after they were written down.
 * @param linked those that may have several: a name may have been taken away again
 */
export function numberLinks(root: Node, linked: ReadonlySet<Inode>): void {
  if (linked.size === 0) return;
  const named = new Map<Inode, Node[]>();
  const collect = (node: Node): void => {
    if (linked.has(node.inode)) {
      const names = named.get(node.inode);
      if (names === undefined) named.set(node.inode, [node]);
      else names.push(node);
    }
    for (const child of node.children?.values() ?? []) collect(child);
  };
  collect(root);
  let linkGroup = 0;
  for (const [inode, nodes] of named) {
    if (nodes.length < 2) continue;
    linkGroup += 1;
    const numbered = { ...inode, linkGroup };
    for (const node of nodes) node.inode = numbered;
  }
}

/** All names of a file in what layers come to. */
export function namesOf(root: Node, { inode, layer }: Node): readonly string[] {
  if (inode.linkGroup === undefined) return [];
  const found: string[] = [];
  const search = (node: Node, path: string): void => {
    if (node.layer === layer && node.inode.linkGroup === inode.linkGroup) found.push(path);
    for (const [name, child] of node.children ?? [])
      search(child, path === "" ? name : `${path}/${name}`);
  };
  search(root, "");
  return found;
}
