"""The sources that a methods paragraph may cite, by key; one is listed where a sentence names it, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_ALL = {
    "alsop2015": "Alsop DC, Detre JA, Golay X, et al. Recommended implementation of arterial spin-labeled perfusion "
    "MRI for clinical applications: a consensus of the ISMRM perfusion study group and the European consortium for "
    "ASL in dementia. Magn Reson Med 2015;73:102-116. doi:10.1002/mrm.25197.",
    "ashburner1997": "Ashburner J, Friston K. Multimodal image coregistration and partitioning: a unified framework. "
    "NeuroImage 1997;6:209-217. doi:10.1006/nimg.1997.0290.",
    "asllani2008": "Asllani I, Borogovac A, Brown TR. Regression algorithm correcting for partial volume effects in "
    "arterial spin labeling MRI. Magn Reson Med 2008;60:1362-1371. doi:10.1002/mrm.21670.",
    "avants2008": "Avants BB, Epstein CL, Grossman M, Gee JC. Symmetric diffeomorphic image registration with "
    "cross-correlation: evaluating automated labeling of elderly and neurodegenerative brain. Med Image Anal "
    "2008;12:26-41. doi:10.1016/j.media.2007.06.004.",
    "avants2011": "Avants BB, Tustison NJ, Wu J, Cook PA, Gee JC. An open source multivariate framework for n-tissue "
    "segmentation with evaluation on public data. Neuroinformatics 2011;9:381-400. doi:10.1007/s12021-011-9109-y.",
    "billot2023": "Billot B, Greve DN, Puonti O, et al. SynthSeg: segmentation of brain MRI scans of any contrast and "
    "resolution without retraining. Med Image Anal 2023;86:102789. doi:10.1016/j.media.2023.102789.",
    "buxton1998": "Buxton RB, Frank LR, Wong EC, Siewert B, Warach S, Edelman RR. A general kinetic model for "
    "quantitative perfusion imaging with arterial spin labeling. Magn Reson Med 1998;40:383-396. "
    "doi:10.1002/mrm.1910400308.",
    "cardoso2022": "Cardoso MJ, Li W, Brown R, et al. MONAI: an open-source framework for deep learning in "
    "healthcare. arXiv:2211.02701, 2022.",
    "cui2020": "Cui J, Gong K, Han P, Liu H, Li Q. Super resolution of arterial spin labeling MR imaging using "
    "unsupervised multi-scale generative adversarial network. arXiv:2009.06129, 2020.",
    "dolui2017": "Dolui S, Wang Z, Shinohara RT, Wolk DA, Detre JA. Structural correlation-based outlier rejection "
    "(SCORE) algorithm for arterial spin labeling time series. J Magn Reson Imaging 2017;45:1786-1797. "
    "doi:10.1002/jmri.25436.",
    "fedorov2012": "Fedorov A, Beichel R, Kalpathy-Cramer J, et al. 3D Slicer as an image computing platform for the "
    "Quantitative Imaging Network. Magn Reson Imaging 2012;30:1323-1341. doi:10.1016/j.mri.2012.05.001.",
    "fonov2011": "Fonov V, Evans AC, Botteron K, et al. Unbiased average age-appropriate atlases for pediatric "
    "studies. NeuroImage 2011;54:313-327. doi:10.1016/j.neuroimage.2010.07.033.",
    "friston1995": "Friston KJ, Ashburner J, Frith CD, Poline JB, Heather JD, Frackowiak RSJ. Spatial registration "
    "and normalization of images. Hum Brain Mapp 1995;3:165-189. doi:10.1002/hbm.460030303.",
    "he2010": "He K, Sun J, Tang X. Guided image filtering. European Conference on Computer Vision 2010:1-14. "
    "doi:10.1007/978-3-642-15549-9_1.",
    "kim2018": "Kim KH, Choi SH, Park SH. Improving arterial spin labeling by using deep learning. Radiology "
    "2018;287:658-666.",
    "li2018": "Li Y, Dolui S, Xie DF, Wang Z. Priors-guided slice-wise adaptive outlier cleaning for arterial spin "
    "labeling perfusion MRI. J Neurosci Methods 2018;307:248-253.",
    "liang2021": "Liang J, Cao J, Sun G, Zhang K, Van Gool L, Timofte R. SwinIR: image restoration using Swin "
    "Transformer. IEEE/CVF International Conference on Computer Vision Workshops 2021:1833-1844. "
    "doi:10.1109/ICCVW54120.2021.00210.",
    "liu2005": "Liu TT, Wong EC. A signal processing model for arterial spin labeling functional MRI. NeuroImage "
    "2005;24. doi:10.1016/j.neuroimage.2004.09.047.",
    "marcosmorales2023": "Marcos Morales A, Leibovich M, Mohan S, et al. Evaluating unsupervised denoising requires "
    "unsupervised metrics. Proceedings of Machine Learning Research 2023;202:23937-23957.",
    "mattes2003": "Mattes D, Haynor DR, Vesselle H, Lewellen TK, Eubank W. PET-CT image registration in the chest "
    "using free-form deformations. IEEE Trans Med Imaging 2003;22:120-128. doi:10.1109/TMI.2003.809072.",
    "maumet2014": "Maumet C, Maurel P, Ferré JC, Barillot C. Robust estimation of the cerebral blood flow in arterial "
    "spin labelling. Magn Reson Imaging 2014;32:497-504. doi:10.1016/j.mri.2014.01.016.",
    "meng2022": "Meng C, He Y, Song Y, et al. SDEdit: guided image synthesis and editing with stochastic differential "
    "equations. International Conference on Learning Representations 2022.",
    "mohan2021": "Mohan S, Vincent JL, Manzorro R, Crozier PA, Fernandez-Granda C, Simoncelli EP. Adaptive denoising "
    "via GainTuning. Advances in Neural Information Processing Systems 2021. arXiv:2107.12815.",
    "papandreou2010": "Papandreou G, Yuille AL. Gaussian sampling by local perturbations. Advances in Neural "
    "Information Processing Systems 2010;23.",
    "shaham2019": "Rott Shaham T, Dekel T, Michaeli T. SinGAN: learning a generative model from a single natural "
    "image. IEEE/CVF International Conference on Computer Vision 2019:4570-4580.",
    "shou2024": "Shou Q, Zhao C, Shao X, et al. Transformer-based deep learning denoising of single and multi-delay "
    "3D arterial spin labeling. Magn Reson Med 2024. doi:10.1002/mrm.29887.",
    "song2021": "Song J, Meng C, Ermon S. Denoising diffusion implicit models. International Conference on Learning "
    "Representations 2021.",
    "stein1981": "Stein CM. Estimation of the mean of a multivariate normal distribution. Ann Stat 1981;9:1135-1151. "
    "doi:10.1214/aos/1176345632.",
    "tan2009": "Tan H, Maldjian JA, Pollock JM, et al. A fast, effective filtering method for improving clinical "
    "pulsed arterial spin labeling MRI. J Magn Reson Imaging 2009;29:1134-1139.",
    "tustison2010": "Tustison NJ, Avants BB, Cook PA, et al. N4ITK: improved N3 bias correction. IEEE Trans Med "
    "Imaging 2010;29:1310-1320. doi:10.1109/TMI.2010.2046908.",
    "ulas2018": "Ulas C, Tetteh G, Kaczmarz S, Preibisch C, Menze BH. DeepASL: kinetic model incorporated loss for "
    "denoising arterial spin labeled MRI via deep residual learning. Medical Image Computing and Computer Assisted "
    "Intervention 2018:30-38. doi:10.1007/978-3-030-00928-1_4.",
    "unser1999": "Unser M. Splines: a perfect fit for signal and image processing. IEEE Signal Process Mag "
    "1999;16(6):22-38. doi:10.1109/79.799930.",
    "wang2012": "Wang Z. Improving cerebral blood flow quantification for arterial spin labeled perfusion MRI by "
    "removing residual motion artifacts and global signal fluctuations. Magn Reson Imaging 2012;30:1409-1415.",
    "wang2013": "Wang Z, Das SR, Xie SX, Arnold SE, Detre JA, Wolk DA. Arterial spin labeled MRI in prodromal "
    "Alzheimer's disease: a multi-site study. NeuroImage Clin 2013;2:630-636. doi:10.1016/j.nicl.2013.04.014.",
    "xie2020": "Xie D, Li Y, Yang H, Bai L, Zhang L, Wang Z. A learning-from-noise dilated wide activation network "
    "for denoising arterial spin labeling (ASL) perfusion images. arXiv:2005.07784, 2020.",
}
REFERENCES: Mapping[str, str] = MappingProxyType(_ALL)
