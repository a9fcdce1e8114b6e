"""A user's segments and label maps as the regions and the atlas of a request, in the space of the image they follow."""

from __future__ import annotations


def regionsOf(segmentation, t1=None, leftOut=()):
    """The segments of a segmentation, each as an `ASLDenoiseLib.pipeline.request.Region`; empty ones are left out.

    Args:
        segmentation: segmentation node.
        t1: the T1 of the run; without one all lie on the series.
        leftOut: names, in lower case, not to take.

    Raises:
        ASLDenoiseLib.errors.InputError: two segments have one name.
    """
    from ASLDenoiseLib.pipeline.request import Region
    from ASLDenoiseLib.scene.following import followed, to_t1_space
    from ASLDenoiseLib.scene.segments import drawings_of, mask_of

    drawings = {n: d for n, d in drawings_of(segmentation).items() if n.strip().lower() not in leftOut}
    space = "asl" if t1 is None else followed(segmentation, t1)
    if space == "t1":
        back = to_t1_space(segmentation)
        drawings = {name: drawing.moved(back) for name, drawing in drawings.items()}
    return tuple(Region(name, mask_of(drawing), space) for name, drawing in drawings.items())


def atlasOf(node, t1=None):
    """A label map as an `ASLDenoiseLib.pipeline.request.Atlas`, named by its colours.

    Raises:
        ASLDenoiseLib.errors.InputError: the node holds no image.
    """
    from ASLDenoiseLib.pipeline.request import Atlas
    from ASLDenoiseLib.scene.following import followed
    from ASLDenoiseLib.scene.label_maps import label_names
    from ASLDenoiseLib.scene.volumes import volume_from_node

    space = followed(node, t1)
    names = {str(number): name for number, name in label_names(node).items()}
    return Atlas(volume_from_node(node), names, "asl" if space == "t1" and t1 is None else space)
