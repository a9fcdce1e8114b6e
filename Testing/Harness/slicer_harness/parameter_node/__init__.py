"""Stand-in for `slicer.parameterNodeWrapper`: the same types, encoding, widgets and refusals."""

from .annotations import (
    Choice,
    Decimals,
    Default,
    Exclude,
    IsInstance,
    Label,
    Maximum,
    Minimum,
    NotNone,
    RangeBounds,
    SingleStep,
    Validator,
    WithinRange,
)
from .annotations import first as findFirstAnnotation
from .annotations import split as splitAnnotations
from .annotations import unannotated as unannotatedType
from .connectors import getNodeTypes, isNodeOrUnionOfNodes
from .containers import AnySerializer, DictSerializer, ListSerializer, TupleSerializer, UnionSerializer
from .gui_connector import GuiConnector, createGuiConnector, parameterNodeGuiConnector
from .packs import FloatRange, isParameterPack, nestedParameterNames, parameterPack
from .serializers import (
    BoolSerializer,
    NodeSerializer,
    NumberSerializer,
    PathSerializer,
    Serializer,
    StringSerializer,
    ValidatedSerializer,
    parameterNodeSerializer,
)
from .wrapper import findChildWidgetForParameter, isParameterNodeWrapper, parameterNodeWrapper

__all__ = [
    "AnySerializer",
    "BoolSerializer",
    "Choice",
    "Decimals",
    "Default",
    "DictSerializer",
    "Exclude",
    "FloatRange",
    "GuiConnector",
    "IsInstance",
    "Label",
    "ListSerializer",
    "Maximum",
    "Minimum",
    "NodeSerializer",
    "NotNone",
    "NumberSerializer",
    "PathSerializer",
    "RangeBounds",
    "Serializer",
    "SingleStep",
    "StringSerializer",
    "TupleSerializer",
    "UnionSerializer",
    "ValidatedSerializer",
    "Validator",
    "WithinRange",
    "createGuiConnector",
    "findChildWidgetForParameter",
    "findFirstAnnotation",
    "getNodeTypes",
    "isNodeOrUnionOfNodes",
    "isParameterNodeWrapper",
    "isParameterPack",
    "nestedParameterNames",
    "parameterNodeGuiConnector",
    "parameterNodeSerializer",
    "parameterNodeWrapper",
    "parameterPack",
    "splitAnnotations",
    "unannotatedType",
]
