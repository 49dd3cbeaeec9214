"""The walks of the CMU Graphics Lab Motion Capture Database that the benchmarks are made of.

Two lists. The original one, SUBJECTS and TRIALS: 69 trials of 14 subjects that CMU's motion
descriptions call "walk" (one "slow walk"), each looked at and straight. The whole one, WHOLE:
145 trials of the 25 subjects with at least two that are described as a plain walk ahead; those
that the original list does not have are known by their description alone.
Descriptions: mocap.cs.cmu.edu, also compiled in B. Hahne's index of the database (2008).
Checksums are of a file with its line ends as \\n.
"""

# subject -> (set it belongs to, SHA-256 of its .asf)
SUBJECTS = {
    "02": ("train", "c50c9cf21fa50dcea0b597e8caf5a2191975cd20999935cc50ab60d44382de9b"),
    "05": ("train", "a4c6127051f30c90b758ccb81f471b7375fc15b92d82ba6bf3e0d2e2d224dd90"),
    "06": ("test", "d59d55dc824502dd8b48e6be415e328d8eb3effb41cc483170d2c3c6f6821b98"),
    "07": ("train", "f1fbd8abcd9073d24189d5f33b7220974b0ac4b5223fabbb0cc07799ec7a93b3"),
    "08": ("test", "b4e0a77603de53d276e0cc564810e83b43df2b79e2f6abac43195aad5b6d7c76"),
    "10": ("train", "9fb43ea334efc92f59f727a425952181c72493e31e6689d0255866bff3cc6c8e"),
    "16": ("train", "755c245ec3359cec1df53eb5177cd18a7a2af4c2036234365919c4907f884e69"),
    "32": ("test", "c23601fdc0ecf481ea33d05a758af2933bcfc5b11b4b6e289f764282a1d0f0d4"),
    "35": ("train", "9b4888836cbd13cdab14a86c53a6b7765ccae48ddc7075d8c5e03ac34bc08364"),
    "38": ("test", "94c2e34397d1ef55ecd0dba2886436d5357da5ab59baa76882d375cbcbf79337"),
    "39": ("test", "97333f5053befbb1d2f0d8629ba6fe9eca9ef0553cdfa683faf825a5ba392920"),
    "43": ("train", "69fccb3561e3b510041d2d6d0098478df559d96a648605fed72d569c0f2e803b"),
    "49": ("test", "2ec64642c51f344a5ef7cce72e81b60f0371ffd6d017ad2c2670848144a66ea6"),
    "55": ("test", "888fff9a0e82fbb4d323c637f6be32c0ea84c63034a0501697f910ddf096d443"),
}

# trial -> (CMU's description, SHA-256 of its .amc)
TRIALS = {
    "02_01": ("walk", "e196f67e5cee0bb575e2ed105082231166a13f81f6ff7b460f6078ed66c8e43a"),
    "02_02": ("walk", "c0905969083149ff73b52a26d2121c889081a6b19aa743173dd1d575e31ec697"),
    "05_01": ("walk", "ca788483a41ad9cb0d3c6a6e12c4a8b22158a571a8601ca73023d0e8a5f3beae"),
    "06_01": ("walk", "de46ee74940ee29db709a8aeab42e08f758d4897810ed52b33a390713350a724"),
    "07_01": ("walk", "97cdb8296c5a9a37a2eaca7ce214b9dbaef49016f7e28c22c5b74688fcd8e0e3"),
    "07_02": ("walk", "8cd7cbba57ed6675dd647c9427ba6f7b676d514c4e7e4ad6d27c7d10a665df68"),
    "07_03": ("walk", "addeabda848943982f97d602bd809884b37beacc247f7e5899b4fa6a5bd7ba6b"),
    "07_06": ("walk", "274a997bd8a982d23de06c64e531dacd6cce146665c9c16555ac47837ecbc262"),
    "07_07": ("walk", "c08d87f4de503dd11016dee4deb0793bb1bc9b4a1aa1950d8cfce558b6d6ccdc"),
    "07_08": ("walk", "e48e8e43c2ff4d01e1fa487b2e4b08cb104ca3b0eaba4ae359ff22aedba5b257"),
    "07_09": ("walk", "bf88877c6536b3be688b3ca86c1caffeb91162ccd3fbde56e7ef1c73ab149196"),
    "07_10": ("walk", "523d0dd6d58c66eb9ba301193cbbcb6f4bf006f196f7edffde83d1965f0902fc"),
    "07_11": ("walk", "7c6245129270f6f378745f41631ba6dcdc45969d3c05e1e7386c4dc534457c24"),
    "08_01": ("walk", "08345dab7d5d0b1be323ed7f016ae78a1cbf980129a013812afcd8639074513e"),
    "08_02": ("walk", "d318b2a66b9f7cf69099d6d10dc2a83817fbc9059d76b6ba9c6cfaad50fd16d1"),
    "08_03": ("walk", "dc0f3790c96b704bf5c0ec18e4ead1f2b3e3903e78aa31b3da3be5087a8dab16"),
    "08_04": ("slow walk", "29d629f9d7b97675bbf99403461321c1d1326db52bff40a63aaf7bb9102d3702"),
    "08_06": ("walk", "1749b0ca0b5e55e3dcaa73358a096dc23aa1769b7f1ddaa15c312e4c5b1544cb"),
    "08_08": ("walk", "8241d2c676270e5a541d142bbae5db539ad82e36e36cd92000a756e78919622c"),
    "08_09": ("walk", "7a0f788e8a86a7fe0c7e710a374d3f9ed8ab5e673b512ebec6bc6a5e87a5a525"),
    "08_10": ("walk", "9e181a77c215f83f184d1fe81ecbcd77c50e4875c5dbfd7e61ff2b4581b96cca"),
    "10_04": ("walk", "3fdcae71a91773202fb82284f521bb09c324d141e60de7a7ea7281bcb6657b65"),
    "16_15": ("walk", "e8d141ef810eba2ec4fd3c4dc2c4ab76169051e91b6623e5f78a0bd4db9035a7"),
    "16_16": ("walk", "7e3ceca7744c4997c4f69a743cb40d759bf16f40c60249fe256db55c26e4570a"),
    "16_21": ("walk", "5e98d96fb625cf848a44f0f309b0a607803568c22b0a465b08b7c6f5a07644e2"),
    "16_22": ("walk", "c079b509dc835736ba98dee3f25e5f033ccc955191269e047ba5855c1fcd8a38"),
    "16_31": ("walk", "5d52cc7efcbbfa7a299404ba8801944b0283ffa215988b13c47779c8345dc01d"),
    "16_32": ("walk", "f95680f226121c49321284c856ffbe651c14906ae8d297f194cb3196af3f2600"),
    "16_47": ("walk", "d66ba40905a991628e6b5db5fb83a0b8a28eb72b8cf0cc681e6aa9bc60104401"),
    "16_58": ("walk", "2f866bc28a13181d39be1886b7d114b365aa8475a683f999b7611fc7ee7e5470"),
    "32_01": ("walk", "3afe2019287feba6494ae7cd5ae1f2cfcbeaad44641b68d7b220f8533ce06a5f"),
    "32_02": ("walk", "7d084ddb83ed74ed35e737275aed63c7693c956f23cb1fe4bfd39eef8584036f"),
    "35_01": ("walk", "1caf3529f84ac3a151c02d1edfcc4d48d3001eaa00c354f64044d82aa9eb03dd"),
    "35_02": ("walk", "7ca37cafaf9fee809afe55d9fd3e48d1327ad41bdc07387e97fdeb46216aca3b"),
    "35_05": ("walk", "43b50fad25753a7bd998c14c26b32d1db26bfa7f4360d74d58950c4997be2bb5"),
    "35_07": ("walk", "315f9ee6eefa2b54c380b1992034ab825f58f799084ed7680a4e2213e3846823"),
    "35_08": ("walk", "5845acd79857940aebc645b87a25b4a27933f16547d1458f2ec6a2f7271dea86"),
    "35_09": ("walk", "25a829688b13d2b9f2bfd50415acd9052e4db65e80952bdcaf8e16df53750a96"),
    "35_10": ("walk", "073fb92f5c1fbae164f72556e1f4900c37ce0f8f2effc2bd58c1da5f7c2bc8fe"),
    "35_11": ("walk", "42c0fd1e3106f85ce75540969e28a672c56894444d491b79f0b17b60a87070c2"),
    "35_12": ("walk", "c29cd864b5838c65e2686846d780b103056f2057643a0da5f8cd900bfaf8732c"),
    "35_13": ("walk", "94785c83a8f0c588323b92cdeb7364f3ec72a4ad8d3ec6504c6393d89ec41a82"),
    "35_14": ("walk", "f3c584811a8370d8d627f6354706402931f7a599f3620a5abb26305aefd77432"),
    "35_15": ("walk", "cb50bf7c31fdfb4a0903ab64d91807aff775a483a028bdb0773af7752354d9fa"),
    "35_16": ("walk", "240e8d077d3be8e340bee6c465c59ed7320e53e4e529fd674fe7335e6d2c52af"),
    "35_28": ("walk", "e91c989fc8adbb2eff59e3e86f37ef114e82591e5961f22ea1eb0b9682a96ca6"),
    "35_29": ("walk", "48eb5a400085c6477698038767fa907d1f67b7ddd4e51c05366dae15cccd6ce5"),
    "35_30": ("walk", "25cb1de4d5d3fa8818c5dd8a8a6e272c8f6f87efecb99aacbada618eb1748747"),
    "35_31": ("walk", "2b412cbd23c326d36f86ad86d41f500f4b3808f32fedad1b03b4652ea25efb80"),
    "35_32": ("walk", "6939e377574486c7ca2939f3f424fcf4cfac5f6ad28eeb71933e52b052bb19bc"),
    "35_33": ("walk", "930076d60eb3974d0d1438225acf36f23673218290069f865cf17e8a299d7316"),
    "35_34": ("walk", "484ee3fe1ca9a984c4363484972d3114c675a9207a5119aeebd6d7235038a421"),
    "38_01": ("walk", "9398cf2f324c9b3894334e5f36c3108ba9ac4ccc3b2cc7481aef7f8bf0fdf235"),
    "38_02": ("walk", "2385bea33af8c4c3108b9f6c37b0cf00d44f9da6877e1435cd8830f29aee1c20"),
    "39_01": ("walk", "0bd24ceccb151e1b42dde0baa65f1597c29b60450cf96151f3538e8243e9c0b2"),
    "39_02": ("walk", "1bf0231adcd71389049a667174f6294c756875e8a16c4589a7e75cb07019d184"),
    "39_03": ("walk", "db3f36339539b717b37b8a6b3d51d84c1bcd967cba32700e1b8726b05869a3c3"),
    "39_04": ("walk", "42b14879f90bd79b5c3051c94811a90aff513af55e6edfd19b6f0fa9644605fb"),
    "39_05": ("walk", "049d34ccbbf93dd0e0b9fa28d38a24c3402087a801f3da518b1bb0c929b47426"),
    "39_06": ("walk", "08df89eb753e2a195af001d32da5323b2f2e5a5d4dcff092ae64e6f8bb3d662a"),
    "39_07": ("walk", "a00cd1b3a01be257424bf027c6fc8b0b9f9cb716f1c8170c31e528d9a95409de"),
    "39_08": ("walk", "3526a58040bbe9a9b405227acde4110e012cc6beb3f149b596d2c35138245716"),
    "39_09": ("walk", "350b324fbd5bd904d5d319b251c886ca2101832a54a0110970bef34da50bd3bc"),
    "39_12": ("walk", "46e4dc36f86251432190f1e0271ccd803d961d4ea9434e3e89041705da88445e"),
    "39_13": ("walk", "0555dbf1da9418a429e44d75f1c20b118176c4203662429bb624f19a884d432d"),
    "39_14": ("walk", "2a7b710f75beb99646c14ad140a929da14e9b6173aba7d673f760f949d0a33b3"),
    "43_01": ("walk", "4ee6d9c987dfd66cbae577f76a072e072f0dee8fa1ef21130bde8efaf1c11a4b"),
    "49_01": ("walk", "a3b91df47911fc2f30179544b2fd9ba19eba98ad6b33362f679fd0bff9ca156b"),
    "55_04": ("walk", "a4e1bbd4c87c5ecb7249ca789619db16ecdb3f06d711504f50cf224b24fdf307"),
}

# Subjects of the whole list, by the set they belong to: where the original list has them; else
# odd numbers train and even ones test, but for 114, who trains like 111: both are described as
# a pregnant woman. 105 is left out: its trials have the descriptions of 91's, one by one.
WHOLE_SETS = {
    "train": ("02", "07", "15", "16", "35", "69", "81", "91", "111", "114", "131", "139", "141"),
    "test": ("08", "12", "32", "38", "39", "82", "90", "104", "120", "132", "136", "144"),
}
# subject -> description -> trials that the original list does not have. 82_08, which begins
# with standing still, is left out.
_FURTHER = {
    "07": {"slow walk": "04 05", "brisk walk": "12"},
    "08": {"walk/stride": "05", "walk, exaggerated stride": "07", "slow walk/stride": "11"},
    "12": {"walk": "01 02 03"},
    "15": {"walk/wander": "01 03 09 14"},
    "16": {"slow walk, stop": "33 34"},
    "35": {"walk": "03 04 06"},
    "39": {"walk": "10"},
    "69": {"walk forward": "01 02 03 04 05"},
    "81": {"walk forward": "02 17", "walk": "03", "walk at a brisk pace": "04"},
    "82": {
        "confident walk forward": "09",
        "sad walk forward": "10",
        "normal walk forward": "11 13",
        "happy or fast walk forward": "12",
        "walk forward and slow down": "14",
    },
    "90": {"straight walk": "22 23"},
    "91": {
        "WalkStraight": "02 36",
        "Walking": "04",
        "SlowWalk": "10 27",
        "QuickWalk": "17",
        "CasualQuickWalk": "22",
        "NormalWalk": "29 31 34",
        "WalkForward": "57",
    },
    "104": {
        "neutral Male walk, exact footfalls": "02",
        "CasualWalk": "19",
        "SlowWalk": "35",
    },
    "111": {"Walk": "34 35"},
    "114": {"Walk": "13 14 15"},
    "120": {"Walk slow": "19", "Walk": "20"},
    "131": {"Start Walk Stop": "01 02"},
    "132": {"Walk Fast": "17 18 19 20 21 22", "Walk Slow": "45 46 47 48 49 50"},
    "136": {"Normal Walk": "20 21 22 23 24"},
    "139": {"Walking": "28 30"},
    "141": {"Walk": "19 25"},
    "144": {"Walking": "33", "Walking001": "34"},
}
# trial -> CMU's description
WHOLE = {
    trial: description
    for trial, (description, _) in TRIALS.items()
    if trial.partition("_")[0] in WHOLE_SETS["train"] + WHOLE_SETS["test"]
} | {
    f"{subject}_{number}": description
    for subject, described in _FURTHER.items()
    for description, numbers in described.items()
    for number in numbers.split()
}
