"""What a box behind a subtitle is, in numbers: a translucent one, and an opaque one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BoxOptions:
    """A translucent box. Frames, distances in pixels, colours in 0..1. A box counts only where all of it holds, so each
    is on the strict side."""

    lift: bool = True
    """Whether boxes are looked for at all."""

    # -- where one may stand
    least_frames: int = 5
    """Frames in a row with a mark at the same place; fewer are no evidence."""
    steady: float = 0.85
    """Intersection over union of the marks' boxes in two frames from which they are the same line's."""
    sampled: int = 12
    """Frames of such a run that are looked at to find the box: more tell no more, and take as much longer."""
    taken: float = 0.5
    """Share of a run's frames that a box found before may cover; over it, the run has its box already."""
    stands: float = 0.8
    """Share of a run's frames in which a box must be seen: letters that stand have theirs all the time, a dark stripe
    of the scene that moves has the look of one for some frames."""

    # -- its edges
    skip: int = 2
    """An edge is judged by pixels this far outside and skip - 1 inside of it: boxes in resized or encoded video have
    soft edges."""
    beyond: float = 0.3
    """Of the marks' height, by which they may reach beyond a box: they are a little wide, and a speck beside a line is
    taken for a letter."""
    cut: float = 0.15
    """Share of a row's height that lies on a box at most where the row goes on beyond its edge."""
    rows: float = 1.0
    """How far apart rows are, in their height, that may stand on one box; 0: each has its own."""
    grows: bool = True
    """Whether a box that was found is followed to frames in which it has another width."""
    proposals: int = 4
    """Places that look most like an edge are tried as one: one for each side."""
    smallest: int = 8
    """Pixels: height and width of a box. No readable line is lower."""
    step: float = 1.6
    """The box must explain the step at each of its edges: what is left is this many times smaller than the step, at
    most ..."""
    rough: float = 2.0
    """... and at most this many times what the scene itself changes over the same distance ..."""
    share: float = 0.01
    """... and, squared, this share of the step."""
    noise: float = 3 / 255
    """What two pixels of an encoded video differ by anyway."""

    # -- what it lets through, and its colour
    clearest: float = 0.92
    """Share of the scene that a box lets through: above this it is hardly seen ..."""
    darkest: float = 0.14
    """... and below this 8 bits hold too little of it."""
    contrast: float = 0.02
    """Standard deviation of the scene along the edges from which it tells the opacity of a black or white box. With
    less, the scene is so even that filling it in does as well."""
    colour_contrast: float = 0.04
    """The same for a box of another colour, of which more is unknown."""
    pure: float = 1.1
    """A box is taken for a black or white one when that leaves no more than this many times the error."""
    outlier: float = 2.5
    """Times the median error, beyond which a pair of pixels has no say: a letter or the outline reaches into it."""
    refits: int = 4
    """Fits, each without the outliers of the one before; after so many they stay the same."""
    denser: float = 0.01
    """Change of `through` a pixel further inside from which an edge counts as softer than `skip` allows for."""

    # -- how much of it is there in a frame
    weakest: float = 0.2
    """Share of its full strength from which a fading box is taken off ..."""
    strongest: float = 1.15
    """... and up to which an estimate of it is possible."""
    nearly: float = 0.1
    """Estimates of the strength this close to 1 are 1: boxes do not flicker, estimates do."""
    absent: float = 0.6
    """Share of the strength by which one side's own must differ to show that this is another box."""

    # -- the letters in front of it
    out_of_range: float = 10 / 255
    """A pixel this far from everything that the scene could be under the box is a letter's; on average over a box's
    frames, a third of it."""
    least_letters: float = 0.005
    """Share of a box: with fewer such pixels its letters cannot be told from the scene ..."""
    most_hidden: float = 0.9
    """... and with more hidden there is nothing to gain."""
    unlike: float = 0.03
    """Difference in colour between pixels at one distance from the letters and at the next from which outline, shadow
    and blur go on. Averaged over a box, the scene itself differs less (0.00 to 0.02 on a dozen clips)."""
    least_reach: int = 2
    """Pixels: no letter that was encoded ends sooner."""
    few: float = 0.2
    """Share of the pixels next to the cores: with fewer at some distance, their mean says nothing."""
    overreach: int = 4
    """Pixels by which marks reach out over a box's edge. Up to there the scene was seen to go on unchanged."""
    softer: float = 1.1
    """Times the error a pixel further out and in: an edge is over where what the box leaves is no more than that."""

    @property
    def gap(self) -> int:
        """Pixels between the two of a pair."""
        return 2 * self.skip - 1


DEFAULT = BoxOptions()


@dataclass(frozen=True)
class TouchingOptions:
    """An opaque box beside parts of the scene that have its colour. Distances in pixels, shares of 1."""

    look: bool = True
    """Whether such boxes are looked for, where marks have no box that stands free."""
    alike: tuple[int, ...] = (14, 28)
    """Levels of 255 from its colour up to which a pixel may be its own: those of a box that stands free, for a black
    one before a dark jacket; then twice as many, for what is dark in a coloured scene is encoded badly."""
    seen: float = 0.15
    """Share of the pixels around the letters that have its colour at least."""
    edge: float = 0.25
    """Share of its upper and lower edge along which the scene is of another colour at least ..."""
    end: float = 0.5
    """... and of its left and right one, which are shorter, and so more easily straight by chance."""
    within: float = 0.9
    """Share of it that is its colour or marked."""
    bare: float = 0.15
    """Share of it that is its colour and not marked: the outlines of letters alone are all marked (a box of a real clip
    0.24, outlines 0.01 and 0.05)."""
    own: float = 0.1
    """Share of each edge along which its own colour begins where nothing is marked (a box of a real clip 0.12, marks on
    a jacket of one colour 0.01)."""
    crossed: float = 0.07
    """How far letters go across an edge at most, as a share of those in it: what stands half on something of the scene
    0.13, rows so near that their marks touch 0.03."""
    over: int = 4
    """Pixels by which marks may reach over its ends."""
    lowest: int = 8
    """Height at least. No readable line is lower."""
    soft: int = 3
    """Pixels over which its edges fade."""


@dataclass(frozen=True)
class OpaqueOptions:
    """An opaque box. Distances in heights of a row, colours in levels of 255, shares of 1, unless it says otherwise."""

    # -- where one may stand
    apart: float = 1.0
    """How far apart marks are that may stand in one box."""
    around: float = 1.5
    """How far a box reaches beyond its letters at most."""
    lasts: int = 4
    """Frames in a row that it stands, or moves on, at least."""
    looks: int = 3
    """Frames from one in which boxes are looked for to the next, where nothing changes meanwhile; under `lasts`."""
    carried: int = 25
    """Frames to which a box is carried on where its end is not seen against the scene."""
    fades: int = 12
    """Frames in which a box fades away behind its letters at most; 0: none fades ..."""
    fading: float = 0.5
    """... and the share of its marked letters, from one of them to the next, that is still marked at least."""
    letter: int = 20
    """Pixels: letters twice as high are looked at in every second pixel, and so on ..."""
    coarsest: int = 3
    """... up to this."""

    # -- its colour
    alike: int = 14
    """How far its pixels are from its colour at most: what an encoder leaves of a plain area."""
    colours: int = 5
    """Most frequent colours around the letters that are tried ..."""
    seen: float = 0.015
    """... and the share of the pixels there that a colour has."""
    same: float = 0.9
    """Share of its plain pixels that keep their colour in a frame in which it still stands."""
    jumps: int = 8
    """Levels between the colours of two boxes that may be one which moves."""

    # -- its shape
    smallest: int = 8
    """Pixels: height and width of a box."""
    hollow: float = 0.2
    """Share of its rectangle that shows its colour at least, between the letters."""
    full: float = 0.85
    """Share of its rectangle that a box fills, letters included; its corners may be round."""
    row: float = 0.6
    """Boxes of rows that touch are each at least so high."""
    uneven: float = 0.06
    """Share of its height by which its ends are off a straight line at most ..."""
    even: float = 0.8
    """... in this share of them; in their middle half, for corners may be round."""
    margin: float = 0.1
    """Distance from its edges to its letters at least ..."""
    free: float = 0.8
    """... along this share of each; a row may stand half on a plain thing of the scene."""
    ragged: int = 2
    """Pixels of an edge that is soft or badly encoded."""
    ends: float = 0.8
    """Share of the pixels beyond its edges that are of another colour."""
    soft: int = 6
    """Pixels over which its edges may fade ..."""
    faded: float = 0.9
    """... and the share of the step at an edge at which it is over ..."""
    softest: float = 0.25
    """... save for so much of the edge: the scene beyond may be like the box there."""

    stroke: float = 0.25
    """What of its colour is thinner is none of it: other letters on which it stands half ..."""
    attached: float = 0.005
    """... and are this share of the area at least; 1: an area is taken or left as a whole."""

    # -- the letters in it
    letters: float = 0.05
    """Share of it that is marked letters."""
    unmarked: float = 0.5
    """Share of what stands in it that nothing marks."""
    glyph: tuple[float, int] = (1.3, 40)
    """A letter with a hole looks like a box too, but is no wider than so many times its height, and what is in the
    hole is within so many levels of what is around the letter."""

    touching: TouchingOptions = TouchingOptions()


OPAQUE = OpaqueOptions()
