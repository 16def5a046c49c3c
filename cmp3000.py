import numpy as np, io, sys
sys.path.insert(0,"/work/main")
from PIL import Image; import torch; torch.set_num_threads(1)
from colorlib.color.lab import rgb8_to_lab8
lens=np.load("/work/main/.gpu/lens.npy"); raw=open("/tmp/gpu/d0_0.bin","rb").read(); at=0; rgb=[]
for i in range(3000):
    rgb.append(np.asarray(Image.open(io.BytesIO(raw[at:at+lens[i]])).convert("RGB"))); at+=int(lens[i])
L8,ab8=rgb8_to_lab8(np.stack(rgb))
L=np.load("/tmp/study_data/l/gray_scale.npy",mmap_mode="r")[:3000]; A=np.load("/tmp/study_data/ab/ab/ab1.npy",mmap_mode="r")[:3000]
print((L8!=L).sum(),(ab8!=A).sum(), np.abs(ab8.astype(int)-A).max())
